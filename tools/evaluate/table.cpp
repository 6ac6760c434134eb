#include "table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <nlohmann/json.hpp>

namespace evaluate {
namespace {

constexpr auto kReplace = nlohmann::json::error_handler_t::replace;

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

// Cells as lines, the first of them headings. Columns of numbers are aligned to the right.
std::string lines_of(const std::vector<std::vector<std::string>>& cells, Format format) {
  const std::size_t columns = cells.front().size();
  std::vector<std::size_t> widths(columns, 0);
  if (format == Format::text)
    for (const auto& line : cells)
      for (std::size_t i = 0; i < columns; ++i)
        widths[i] = std::max(widths[i], width(line[i]));
  std::string text;
  for (const auto& line : cells)
    for (std::size_t i = 0; i < columns; ++i) {
      const bool last = i + 1 == columns;
      const bool is_number = i == 1 || i >= 3;
      const std::string padding(widths[i] - std::min(widths[i], width(line[i])), ' ');
      text += is_number ? padding + line[i] : line[i] + (last ? "" : padding);
      text += last ? "\n" : format == Format::tsv ? "\t" : "  ";
    }
  return text;
}

std::string json_lines_of(std::span<const ScoreRow> rows) {
  std::string text;
  for (const ScoreRow& row : rows) {
    text += "{\"file\": " + nlohmann::json(row.file).dump(-1, ' ', false, kReplace) +
            ", \"examples\": " + std::to_string(row.examples) + ", \"what\": \"" + row.what + "\"";
    for (const auto& [name, value] : row.scores.values)
      text += std::string(", \"") + name + "\": " + json_number(value);
    text += "}\n";
  }
  return text;
}

}  // namespace

std::string table(std::span<const Row> rows, Format format) {
  std::vector<std::vector<std::string>> cells{{"file", "pairs", "what", "spearman", "pearson"}};
  for (const Row& row : rows)
    cells.push_back({row.file, std::to_string(row.pairs), row.what, number(row.spearman, format),
                     number(row.pearson, format)});
  return lines_of(cells, format);
}

std::string table(std::span<const ScoreRow> rows, Format format) {
  if (format == Format::jsonl) return json_lines_of(rows);
  std::vector<std::vector<std::string>> cells{{"file", "examples", "what"}};
  if (!rows.empty())
    for (const auto& [name, value] : rows.front().scores.values)
      cells.front().push_back(name);
  for (const ScoreRow& row : rows) {
    cells.push_back({row.file, std::to_string(row.examples), row.what});
    for (const auto& [name, value] : row.scores.values)
      cells.back().push_back(number(value, format));
  }
  return lines_of(cells, format);
}

}  // namespace evaluate
