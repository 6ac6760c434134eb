#include <cstddef>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>

namespace klue {
namespace {

constexpr std::size_t kLongestPart = 4096;  // bytes: as long as a path gets

/// Control characters, of C1 too, and what ends a line in Unicode.
bool leaves_its_line(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

void append_escape(std::string& line, std::string_view prefix, std::size_t digits, unsigned value) {
  line.append(prefix);
  while (digits-- != 0)
    line.push_back("0123456789abcdef"[value >> 4 * digits & 0xF]);
}

/// Files may hold anything, and terminals obey what they are given.
void append_in_line(std::string& line, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (i > kLongestPart) {
      line.append("...");
      return;
    }
    const DecodedCodePoint c = decode_utf8(text.substr(i));
    const std::string_view bytes = text.substr(i, c.length);
    i += c.length;
    if (!c.valid)
      for (const char byte : bytes)
        append_escape(line, "\\x", 2, static_cast<unsigned char>(byte));
    else if (c.value == '\n')
      line.append("\\n");
    else if (leaves_its_line(c.value))
      append_escape(line, "\\u", 4, static_cast<unsigned>(c.value));
    else
      line.append(bytes);
  }
}

std::string error_line(std::string_view message, const ErrorContext& context) {
  std::string line;
  for (const std::string_view place :
       {std::string_view(context.file), std::string_view(context.field)})
    if (!place.empty()) {
      append_in_line(line, place);
      line.append(": ");
    }
  append_in_line(line, message);
  const bool expected = !context.expected.empty(), actual = !context.actual.empty();
  if (expected || actual) {
    line.append(" (");
    if (expected) append_in_line(line.append("expected "), context.expected);
    if (expected && actual) line.append(", ");
    if (actual) append_in_line(line.append("found "), context.actual);
    line.append(")");
  }
  return line;
}

}  // namespace

Error::Error(std::string_view message, ErrorContext context)
    : std::runtime_error(error_line(message, context)), context_(std::move(context)) {}

}  // namespace klue
