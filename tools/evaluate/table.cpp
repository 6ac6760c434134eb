#include "table.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace evaluate {
namespace {

std::string number(double value, Format format) {
  std::array<char, 64> digits;
  const auto end =
      format == Format::tsv
          ? std::to_chars(digits.begin(), digits.end(), value).ptr
          : std::to_chars(digits.begin(), digits.end(), value, std::chars_format::fixed, 4).ptr;
  const std::string text(digits.begin(), end);
  return text == "-nan" ? "nan" : text;
}

// Columns of a terminal. What lies from U+3000 on, Hangul above all, takes two.
std::size_t width(const std::string& text) {
  std::size_t columns = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) columns += byte >= 0xE3 ? 2 : 1;
  }
  return columns;
}

}  // namespace

std::string table(std::span<const Row> rows, Format format) {
  std::vector<std::array<std::string, 5>> cells{{"file", "pairs", "what", "spearman", "pearson"}};
  for (const Row& row : rows)
    cells.push_back({row.file, std::to_string(row.pairs), row.what, number(row.spearman, format),
                     number(row.pearson, format)});
  std::array<std::size_t, 5> widths{};
  if (format == Format::text)
    for (const auto& line : cells)
      for (std::size_t i = 0; i < line.size(); ++i)
        widths[i] = std::max(widths[i], width(line[i]));
  std::string text;
  for (const auto& line : cells)
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool last = i + 1 == line.size();
      const bool is_number = i == 1 || i >= 3;
      const std::string padding(widths[i] - std::min(widths[i], width(line[i])), ' ');
      text += is_number ? padding + line[i] : line[i] + (last ? "" : padding);
      text += last ? "\n" : format == Format::tsv ? "\t" : "  ";
    }
  return text;
}

}  // namespace evaluate
