#pragma once

#include <string>
#include <string_view>

#include <klue/core/utf8.hpp>

/// Text as Python sees it: code points, what is no UTF-8 as U+FFFD.
namespace klue::detail {

inline std::u32string code_points_of(std::string_view text) {
  std::u32string points;
  while (!text.empty()) {
    const DecodedCodePoint point = decode_utf8(text);
    points.push_back(point.value);
    text.remove_prefix(point.length);
  }
  return points;
}

inline std::string utf8_of(std::u32string_view points) {
  std::string text;
  for (const char32_t c : points)
    append_utf8(text, c);
  return text;
}

/// What Python's str.split() splits at.
constexpr bool is_split_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

}  // namespace klue::detail
