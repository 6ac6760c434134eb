#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/tokenizer.hpp>

namespace klue::test {

using detail::AddedToken;
using detail::parse_tokenizer_json;
using detail::read_tokenizer_files;
using detail::TemplatePiece;
using detail::TokenizerConfig;
using detail::TokenizerFiles;

inline const std::vector<std::string> special_pieces = {"[CLS]", "[PAD]", "[SEP]", "[UNK]",
                                                        "[MASK]"};

/// The special tokens with ids 0…4, then `pieces`; BERT's template and the special tokens added.
inline TokenizerFiles small_files(const std::vector<std::string>& pieces,
                                  TokenizerConfig config = {}) {
  using Kind = TemplatePiece::Kind;
  std::vector<std::string> all = special_pieces;
  all.insert(all.end(), pieces.begin(), pieces.end());
  for (std::size_t id = 0; id < special_pieces.size(); ++id)
    config.added_tokens.push_back({.content = special_pieces[id],
                                   .id = static_cast<std::int32_t>(id),
                                   .normalized = false,
                                   .special = true});
  config.single = {{Kind::special, {0}, 0}, {Kind::first_text, {}, 0}, {Kind::special, {2}, 0}};
  config.pair = config.single;
  config.pair.push_back({Kind::second_text, {}, 1});
  config.pair.push_back({Kind::special, {2}, 1});
  return {.vocabulary = Vocabulary(std::move(all)), .config = std::move(config), .source = "small"};
}

inline Tokenizer small_tokenizer(const std::vector<std::string>& pieces,
                                 Dialect dialect = Dialect::huggingface,
                                 TokenizerConfig config = {}) {
  return Tokenizer(small_files(pieces, std::move(config)), dialect);
}

/// The tokens' pieces: {"가", "##나"}.
inline std::vector<std::string> pieces_of(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> pieces;
  for (const std::int32_t id : tokenizer.tokenize(text).ids)
    pieces.push_back(tokenizer.token(id));
  return pieces;
}

}  // namespace klue::test
