#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace klue {

/// What invalid UTF-8 reads as.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One decoded code point and how many bytes of the source it took.
struct DecodedCodePoint {
  char32_t value = kReplacementCharacter;  ///< U+FFFD for what is no UTF-8
  std::size_t length = 1;                  ///< bytes, 1…4
  bool valid = false;  ///< false where `value` stands for an invalid subsequence
};

/// Reads the code point at the front of `text`, which must not be empty.
///
/// Invalid input never fails: each maximal subpart of an ill-formed subsequence reads as one
/// U+FFFD (Unicode 15.0, 3.9 "U+FFFD Substitution of Maximal Subparts"; the same as the WHATWG
/// decoder). Overlong forms, surrogates and values above U+10FFFF are ill-formed. O(1).
inline DecodedCodePoint decode_utf8(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  if (lead < 0xC2 || lead > 0xF4) return {};

  // The second byte has a range of its own after some lead bytes (Unicode, table 3-7); it rules
  // out overlong forms, surrogates and what lies above U+10FFFF.
  unsigned low = 0x80, high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;

  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t value = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high)
      return {kReplacementCharacter, i, false};
    value = (value << 6) | (byte(i) & 0x3Fu);
    low = 0x80, high = 0xBF;
  }
  return {value, length, true};
}

/// How many bytes the UTF-8 form of a scalar value has, 1…4.
constexpr std::size_t utf8_length(char32_t value) noexcept {
  return value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
}

/// Appends the UTF-8 form of a code point. `value` must be a scalar value.
inline void append_utf8(std::string& text, char32_t value) {
  const auto put = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | (value >> 6));
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | (value >> 18));
    put(0x80 | ((value >> 12) & 0x3F));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

/// Whether all of a text is well-formed.
inline bool is_valid_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const DecodedCodePoint point = decode_utf8(text);
    if (!point.valid) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

/// The text with U+FFFD for every maximal subpart that is ill-formed.
inline std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const DecodedCodePoint point = decode_utf8(text);
    append_utf8(valid, point.value);
    text.remove_prefix(point.length);
  }
  return valid;
}

}  // namespace klue
