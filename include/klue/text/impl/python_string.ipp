#include <algorithm>
#include <cstddef>
#include <iterator>
#include <new>
#include <string>

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/stringpiece.h>

#include <klue/core/utf8.hpp>
#include <klue/text/detail/python_string.hpp>

namespace klue::detail {
namespace {

/// What `str.isspace()` takes for whitespace: category Zs, or bidirectional class WS, B or S.
constexpr bool is_python_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

constexpr bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// ICU counts bytes in 32 bits; longer texts go through it in parts, cut between characters.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

std::string_view front_part(std::string_view text) {
  if (text.size() <= kMostAtOnce) return text;
  std::size_t end = kMostAtOnce;
  while (is_continuation(text[end]))
    --end;
  return text.substr(0, end);
}

}  // namespace

std::string_view python_strip(std::string_view text) noexcept {
  while (!text.empty()) {
    const DecodedCodePoint first = decode_utf8(text);
    if (!first.valid || !is_python_space(first.value)) break;
    text.remove_prefix(first.length);
  }
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && is_continuation(text[begin]) && text.size() - begin < 4)
      --begin;
    const DecodedCodePoint last = decode_utf8(text.substr(begin));
    if (!last.valid || begin + last.length != text.size() || !is_python_space(last.value)) break;
    text.remove_suffix(last.length);
  }
  return text;
}

std::string python_lower(std::string_view text) {
  const std::string valid = to_valid_utf8(text);
  std::string lower;
  lower.reserve(valid.size());
  icu::StringByteSink<std::string> sink(&lower);
  for (std::string_view rest = valid; !rest.empty();) {
    const std::string_view part = front_part(rest);
    UErrorCode status = U_ZERO_ERROR;
    icu::CaseMap::utf8ToLower("", 0, icu::StringPiece(part.data(), static_cast<int>(part.size())),
                              sink, nullptr, status);
    // The only way for valid text in the root locale to fail.
    if (U_FAILURE(status)) throw std::bad_alloc();
    rest.remove_prefix(part.size());
  }
  return lower;
}

}  // namespace klue::detail
