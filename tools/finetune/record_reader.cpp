#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>

#include "common/line_reader.hpp"
#include "record.hpp"
#include "record_json.hpp"

namespace finetune {
namespace {

using nlohmann::json;

struct Line {
  std::size_t number;
  std::string text;
};

std::vector<Line> lines_of(const std::string& content) {
  std::vector<Line> lines;
  std::size_t begin = 0, number = 0;
  while (begin < content.size()) {
    std::size_t end = content.find('\n', begin);
    if (end == std::string::npos) end = content.size();
    std::string text = content.substr(begin, end - begin);
    if (text.ends_with('\r')) text.pop_back();
    ++number;
    if (!text.empty()) lines.push_back({number, std::move(text)});
    begin = end + 1;
  }
  return lines;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t tab = line.find('\t', begin);
    cells.push_back(line.substr(begin, tab == std::string::npos ? tab : tab - begin));
    if (tab == std::string::npos) return cells;
    begin = tab + 1;
  }
}

// Columns by what their names mean; kAbsent where there is none.
constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);
struct Columns {
  std::size_t text = kAbsent, pair = kAbsent, label = kAbsent, count = 0;
};

std::size_t column_named(const std::vector<std::string>& names,
                         std::initializer_list<std::string_view> wanted) {
  for (const std::string_view name : wanted)
    if (const auto found = std::ranges::find(names, name); found != names.end())
      return static_cast<std::size_t>(found - names.begin());
  return kAbsent;
}

Columns columns_by_name(const std::vector<std::string>& names) {
  return {column_named(
              names, {"sentence1", "premise", "text", "question", "title", "sentence", "document"}),
          column_named(names, {"sentence2", "hypothesis", "text_pair", "passage"}),
          column_named(names, {"gold_label", "score", "label"}), names.size()};
}

std::vector<Record> read_table(const std::string& content, const std::string& path) {
  std::vector<Line> lines = lines_of(content);
  const std::vector<std::string> head = cells_of(lines.front().text);
  Columns columns = columns_by_name(head);
  if (columns.text != kAbsent && (columns.label != kAbsent || head.size() == 1)) {
    lines.erase(lines.begin());
  } else if (head.size() <= 3) {
    columns = {0, head.size() == 3 ? 1 : kAbsent, head.size() == 1 ? kAbsent : head.size() - 1,
               head.size()};
  } else {
    throw klue::FormatError("a table of an unknown kind",
                            {.file = path + ":" + std::to_string(lines.front().number),
                             .expected = "columns named text (or sentence1, sentence2) and label "
                                         "(or score, gold_label); or at most three columns"});
  }
  std::vector<Record> records;
  for (const Line& line : lines) {
    std::vector<std::string> cells = cells_of(line.text);
    const std::string place = path + ":" + std::to_string(line.number);
    if (cells.size() != columns.count)
      throw klue::FormatError("wrong number of columns", {.file = place,
                                                          .expected = std::to_string(columns.count),
                                                          .actual = std::to_string(cells.size())});
    Record record{.place = place, .text = cells[columns.text]};
    if (columns.pair != kAbsent) record.pair = cells[columns.pair];
    if (columns.label != kAbsent) record.label = cells[columns.label];
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Record> read_json_lines(const std::string& content, const std::string& path) {
  std::vector<Record> records;
  for (const Line& line : lines_of(content)) {
    const std::string place = path + ":" + std::to_string(line.number);
    const json object = json::parse(line.text, nullptr, false);
    if (object.is_discarded()) throw klue::FormatError("no JSON", {.file = place});
    records.push_back(record_from_json(object, place));
  }
  return records;
}

std::vector<Record> read_json_array(const json& array, const std::string& path) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < array.size(); ++i)
    records.push_back(record_from_json(array[i], path + ": entry " + std::to_string(i + 1)));
  return records;
}

std::vector<Record> read_any(const std::string& content, const std::string& path) {
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  if (content[first] == '[' || content[first] == '{') {
    const json whole = json::parse(content, nullptr, false);
    if (whole.is_array()) return read_json_array(whole, path);
    if (whole.is_object() && whole.contains("data")) return records_of_mrc(whole, path);
    if (content[first] == '{') return read_json_lines(content, path);
  }
  if (content.starts_with("## ") || content.starts_with("##\n"))
    return records_of_ner(content, path);
  return read_table(content, path);
}

}  // namespace

std::vector<Record> read_records(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw klue::IoError("cannot read", {.file = path});
  std::string content{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) throw klue::IoError("cannot read", {.file = path});
  tools::check_text(content, path);
  if (content.starts_with("\xef\xbb\xbf")) content.erase(0, 3);
  std::vector<Record> records = read_any(content, path);
  if (records.empty()) throw klue::FormatError("an empty file", {.file = path});
  return records;
}

}  // namespace finetune
