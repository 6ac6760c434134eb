#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <klue/core/detail/json.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::detail {

// What tokenizer.json and the files beside a vocab.txt write in the same way.

/// A token with its flags. `special` is what it is where the file does not say.
inline AddedToken added_token(const JsonNode& node, std::int32_t id, bool special = false) {
  special = special || node.boolean_or("special", false);
  return {.content = node.at("content").string(),
          .id = id,
          .single_word = node.boolean_or("single_word", false),
          .lstrip = node.boolean_or("lstrip", false),
          .rstrip = node.boolean_or("rstrip", false),
          .normalized = node.boolean_or("normalized", !special),
          .special = special};
}

/// Files name a special token by its text or by an object with flags.
inline AddedToken special_token(const JsonNode& node) {
  if (node.is_object()) return added_token(node, 0, true);
  return {.content = node.string(), .normalized = false, .special = true};
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

/// The special tokens that a model knows by their role, as files write them and where they go.
struct SpecialRole {
  const char* key;
  std::string TokenizerConfig::*name;
};
inline constexpr SpecialRole kSpecialRoles[] = {{"unk_token", &TokenizerConfig::unk_token},
                                                {"sep_token", &TokenizerConfig::sep_token},
                                                {"pad_token", &TokenizerConfig::pad_token},
                                                {"cls_token", &TokenizerConfig::cls_token},
                                                {"mask_token", &TokenizerConfig::mask_token}};

}  // namespace klue::detail
