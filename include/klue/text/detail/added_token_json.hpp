#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <klue/text/detail/json_node.hpp>
#include <klue/text/tokenizer_config.hpp>

namespace klue::detail {

// What tokenizer.json and tokenizer_config.json write in the same way.

/// Files name a special token by its text or by an object with flags.
inline std::string token_text(const Node& node) {
  return node.is_object() ? node.at("content").string() : node.string();
}

inline AddedToken added_token(const Node& node, std::int32_t id) {
  const bool special = node.boolean_or("special", false);
  return {.content = node.at("content").string(),
          .id = id,
          .single_word = node.boolean_or("single_word", false),
          .lstrip = node.boolean_or("lstrip", false),
          .rstrip = node.boolean_or("rstrip", false),
          .normalized = node.boolean_or("normalized", !special),
          .special = special};
}

/// Keeps a damaged id from asking for gigabytes of holes.
inline void check_id(const AddedToken& token, std::size_t vocabulary_size,
                     const std::string& file) {
  if (static_cast<std::size_t>(token.id) > vocabulary_size + 1'000'000)
    throw FormatError("an id far outside the vocabulary",
                      {.file = file,
                       .field = "added token \"" + token.content + "\"",
                       .expected = "near " + std::to_string(vocabulary_size),
                       .actual = std::to_string(token.id)});
}

/// `[CLS] A [SEP]`, or with `[SEP] B [SEP]` of type 1 behind it.
inline std::vector<TemplatePiece> bert_template(bool pair, std::int32_t cls, std::int32_t sep) {
  using Kind = TemplatePiece::Kind;
  std::vector<TemplatePiece> pieces{
      {Kind::special, {cls}, 0}, {Kind::first_text, {}, 0}, {Kind::special, {sep}, 0}};
  if (pair) {
    pieces.push_back({Kind::second_text, {}, 1});
    pieces.push_back({Kind::special, {sep}, 1});
  }
  return pieces;
}

}  // namespace klue::detail
