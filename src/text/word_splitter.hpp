#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <klue/text/added_tokens.hpp>
#include <klue/text/char_table.hpp>
#include <klue/text/encoding.hpp>
#include <klue/text/tokenizer_config.hpp>
#include <klue/text/wordpiece.hpp>

#include "text/normalizer.hpp"

namespace klue {

/// The way from a text to its tokens: added tokens, then words, then pieces.
class WordSplitter {
 public:
  WordSplitter(const Vocabulary& model, const TokenizerConfig& config, Dialect dialect,
               std::int32_t unk);

  /// Appends the tokens of `text`.
  void split(std::string_view text, Tokens& tokens) const;

 private:
  /// What a character does to a word, in the low bits of its table entry; above them the symbol of
  /// a `word` character, or one more than the piece that an `isolate` character makes by itself.
  enum Class : std::uint32_t { word = 0, space = 1, isolate = 2, drop = 3 };
  static constexpr unsigned class_bits = 2;

  struct Sink;
  struct Char;

  void build_table(const TokenizerConfig& config, bool after_normalizer);
  void split_part(std::string_view text, std::size_t begin, std::size_t end, Sink& sink) const;
  void split_in_place(std::string_view text, std::size_t begin, std::size_t end, Sink& sink) const;
  std::size_t split_word_in_place(std::string_view text, std::size_t begin, std::size_t end,
                                  Sink& sink) const;
  std::size_t split_word_by_character(std::string_view text, std::size_t begin, std::size_t end,
                                      Sink& sink) const;
  void split_normalized(std::string_view text, std::size_t begin, std::size_t end,
                        Sink& sink) const;
  void split_normalized_words(const std::vector<NormalizedChar>& chars, std::size_t begin,
                              std::size_t end, Sink& sink) const;
  void emit_isolated(std::uint32_t entry, Offset offset, Sink& sink) const;
  void emit_word(const std::vector<Char>& chars, bool too_long, Sink& sink) const;

  Dialect dialect_;
  std::int32_t unk_;
  std::size_t max_word_length_;  // characters, or bytes in the tensorflow dialect
  WordPiece pieces_;
  CharTable table_;
  AddedTokenMatcher raw_tokens_, normalized_tokens_;
  std::optional<Normalizer> normalizer_;
};

}  // namespace klue
