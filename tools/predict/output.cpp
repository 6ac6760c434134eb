#include "output.hpp"

#include <array>
#include <charconv>
#include <cstdlib>

#include <unistd.h>

namespace predict {
namespace {

constexpr const char* kBold = "1;36";
constexpr const char* kLabel = "33";

}  // namespace

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string tsv_row(std::initializer_list<std::string_view> fields) {
  std::string row;
  for (const std::string_view field : fields) {
    if (!row.empty()) row.push_back('\t');
    for (const char c : field)
      row.push_back(c == '\t' || c == '\n' || c == '\r' ? ' ' : c);
  }
  row.push_back('\n');
  return row;
}

std::string number_text(std::size_t number) {
  return std::to_string(number);
}

std::string score_text(double score) {
  std::array<char, 64> digits;
  const auto result =
      std::to_chars(digits.begin(), digits.end(), score, std::chars_format::fixed, 4);
  // Of the vocabulary's 32,000 most have less than that.
  if (score != 0 && score < 0.001 && score > -0.001) {
    const auto small =
        std::to_chars(digits.begin(), digits.end(), score, std::chars_format::scientific, 2);
    return {digits.begin(), small.ptr};
  }
  return {digits.begin(), result.ptr};
}

std::string number_text(double number) {
  std::array<char, 64> digits;
  return {digits.begin(), std::to_chars(digits.begin(), digits.end(), number).ptr};
}

std::string Marker::painted(const char* code, std::string_view text) const {
  return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
}

std::string Marker::labelled(std::string_view text, std::string_view label) const {
  if (colour_) return painted(kBold, text).append(" ").append(painted(kLabel, label));
  return std::string("[").append(text).append(" ").append(label).append("]");
}

std::string Marker::marked(std::string_view text) const {
  if (colour_) return painted(kBold, text);
  return std::string("【").append(text).append("】");
}

std::string Marker::strong(std::string_view text) const {
  return colour_ ? painted(kBold, text) : std::string(text);
}

bool wants_colour() {
  const char* const refused = std::getenv("NO_COLOR");
  return (refused == nullptr || *refused == '\0') && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace predict
