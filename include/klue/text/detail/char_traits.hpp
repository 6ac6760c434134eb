#pragma once

#include <cstdint>

namespace klue::detail {

/// What the two dialects know about a code point: a set of the bits below.
///
/// The values come from a table in the source and not from the Unicode library at run time, because
/// every reference tokenizer is frozen at the Unicode version that it was built with: a newer ICU
/// would change classes, and with them token ids.
enum CharTraits : std::uint16_t {
  hf_control = 1 << 0,       ///< BertNormalizer's clean_text removes it
  hf_blank = 1 << 1,         ///< BertNormalizer's clean_text makes it a space
  hf_cjk = 1 << 2,           ///< BertNormalizer's handle_chinese_chars isolates it
  hf_split = 1 << 3,         ///< BertPreTokenizer drops it and splits there
  hf_punctuation = 1 << 4,   ///< BertPreTokenizer makes it a word of its own
  tf_separator = 1 << 5,     ///< tensorflow dialect: control, format or RE2 \s; splits there
  tf_isolate = 1 << 6,       ///< tensorflow dialect: punctuation or CJK, a word of its own
  regex_word = 1 << 7,       ///< \w of Rust's regex (single_word of added tokens)
  regex_space = 1 << 8,      ///< \s of Rust's regex (lstrip and rstrip of added tokens)
  nonspacing_mark = 1 << 9,  ///< general category Mn, dropped by strip_accents
};

/// The bits of one code point. O(log n) in the number of ranges (about 1,000); the tokenizer
/// expands them into a table of its own at load.
std::uint16_t char_traits(char32_t code_point) noexcept;

/// A run of code points with the same bits.
struct CharTraitsRange {
  char32_t first, last;
  std::uint16_t traits;
};

/// All runs that have any bit, in ascending order and without overlap.
struct CharTraitsTable {
  const CharTraitsRange* begin_;
  const CharTraitsRange* end_;
  const CharTraitsRange* begin() const noexcept { return begin_; }
  const CharTraitsRange* end() const noexcept { return end_; }
};
CharTraitsTable char_traits_table() noexcept;

}  // namespace klue::detail
