#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/text/offset.hpp>

namespace klue {

/// What an added token has matched, where that is not as its content is spelled: with whitespace
/// that it takes along, or as normalized text has it.
struct MatchedText {
  std::size_t token = 0;  ///< index
  std::string text{};     ///< the caller's text

  bool operator==(const MatchedText&) const = default;
};

/// The tokens of one text, without special tokens. The first three vectors have the same
/// length.
struct Tokens {
  std::vector<std::int32_t> ids;             ///< of the vocabulary
  std::vector<Offset> offsets;               ///< bytes of the caller's text
  std::vector<std::int32_t> word_ids;        ///< which word, counted from 0, a token is a part of
  std::vector<MatchedText> matched_texts{};  ///< few or none, in order; see Tokenizer::texts

  /// Tokens.
  std::size_t size() const noexcept { return ids.size(); }
  /// Whether there are none.
  bool empty() const noexcept { return ids.empty(); }
  bool operator==(const Tokens&) const = default;
};

/// One or two texts with their special tokens, cut and padded: Hugging Face's `Encoding`.
/// All vectors but the last two have the same length.
struct Encoding {
  std::vector<std::int32_t> ids;                  ///< of the vocabulary
  std::vector<std::int32_t> type_ids;             ///< as the tokenizer's template says
  std::vector<Offset> offsets;                    ///< bytes; [0, 0) for added special tokens
  std::vector<std::int32_t> special_tokens_mask;  ///< 1 on added special tokens and padding
  std::vector<std::int32_t> attention_mask;       ///< 0 on padding
  std::vector<std::int32_t> word_ids;             ///< per text, from 0; -1 on special tokens
  std::vector<std::int32_t> sequence_ids;         ///< 0 first text, 1 second; -1 special tokens
  std::vector<MatchedText> matched_texts{};       ///< few or none; see Tokenizer::texts
  std::vector<Encoding> overflowing;              ///< the windows that were cut off, if asked for

  /// Tokens.
  std::size_t size() const noexcept { return ids.size(); }
  /// Whether there are none.
  bool empty() const noexcept { return ids.empty(); }
  bool operator==(const Encoding&) const = default;
};

}  // namespace klue
