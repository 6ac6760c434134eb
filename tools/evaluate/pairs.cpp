#include "pairs.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

#include "common/number.hpp"
#include "klue_files.hpp"

namespace evaluate {
namespace {

// ------------------------------------------------------------------------------------ KLUE-STS

class KlueFile {
 public:
  explicit KlueFile(const std::string& path) : path_(path) {}

  Pairs read(std::string_view content) const {
    const nlohmann::json entries = nlohmann::json::parse(content, nullptr, false);
    if (!entries.is_array())
      throw klue::FormatError("not valid JSON", {.file = path_, .expected = "an array of pairs"});
    Pairs pairs;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string entry = "entry " + std::to_string(i + 1);
      pairs.first.push_back(sentence(entries[i], "sentence1", entry));
      pairs.second.push_back(sentence(entries[i], "sentence2", entry));
      pairs.scores.push_back(score(entries[i], entry));
    }
    return pairs;
  }

 private:
  std::string sentence(const nlohmann::json& entry, const char* key,
                       const std::string& field) const {
    if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string())
      refuse(field, std::string("a string ").append(key));
    return entry[key].get<std::string>();
  }

  double score(const nlohmann::json& entry, const std::string& field) const {
    const auto labels = entry.find("labels");
    if (labels == entry.end() || !labels->is_object() || !labels->contains("real-label") ||
        !(*labels)["real-label"].is_number())
      refuse(field, R"("labels" with a number "real-label")");
    return (*labels)["real-label"].get<double>();
  }

  [[noreturn]] void refuse(const std::string& field, std::string expected) const {
    throw klue::FormatError("not a scored pair",
                            {.file = path_, .field = field, .expected = std::move(expected)});
  }

  const std::string& path_;
};

// -------------------------------------------------------------------------------------- tables

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The lines of a file, without their ends.
std::vector<std::string_view> lines_of(std::string_view content) {
  std::vector<std::string_view> lines = split(content, '\n');
  for (std::string_view& line : lines)
    if (line.ends_with('\r')) line.remove_suffix(1);
  while (!lines.empty() && lines.back().empty())
    lines.pop_back();
  return lines;
}

std::optional<std::size_t> column(const std::vector<std::string_view>& names,
                                  std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return i;
  return std::nullopt;
}

double number(std::string_view text, const std::string& path, const std::string& field) {
  const std::optional<double> value = tools::finite_number(std::string(text));
  if (!value)
    throw klue::FormatError(
        "not a score",
        {.file = path, .field = field, .expected = "a finite number", .actual = std::string(text)});
  return *value;
}

Pairs read_table(std::string_view content, const std::string& path) {
  const std::vector<std::string_view> lines = lines_of(content);
  const std::vector<std::string_view> names =
      lines.empty() ? std::vector<std::string_view>{} : split(lines.front(), '\t');
  const auto first = column(names, "sentence1"), second = column(names, "sentence2"),
             score = column(names, "score");
  if (!first || !second || !score)
    throw klue::FormatError(
        "neither KLUE-STS nor a table of scored pairs",
        {.file = path,
         .field = "line 1",
         .expected = "a JSON array, or columns that are named sentence1, sentence2 and score"});
  Pairs pairs;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string field = "line " + std::to_string(i + 1);
    const std::vector<std::string_view> parts = split(lines[i], '\t');
    if (parts.size() != names.size())
      throw klue::FormatError("wrong number of columns", {.file = path,
                                                          .field = field,
                                                          .expected = std::to_string(names.size()),
                                                          .actual = std::to_string(parts.size())});
    pairs.first.emplace_back(parts[*first]);
    pairs.second.emplace_back(parts[*second]);
    pairs.scores.push_back(number(parts[*score], path, field));
  }
  return pairs;
}

}  // namespace

Pairs read_pairs(const std::string& path) {
  const std::string content = content_of(path);
  const std::size_t begin = content.find_first_not_of(" \t\r\n");
  const bool is_json = begin != content.npos && content[begin] == '[';
  Pairs pairs = is_json ? KlueFile(path).read(content) : read_table(content, path);
  if (pairs.scores.size() < 2)
    throw klue::FormatError(
        "too few pairs for a correlation",
        {.file = path, .expected = "2 or more", .actual = std::to_string(pairs.scores.size())});
  return pairs;
}

}  // namespace evaluate
