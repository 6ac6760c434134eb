#include "common/record_parser.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

#include <klue/core/error.hpp>

#include "common/json_record.hpp"
#include "common/table_record.hpp"

namespace tools {
namespace {

class PlainParser final : public RecordParser {
 public:
  bool next(LineReader& lines, Record& record) override {
    std::string_view line;
    if (!lines.next(line)) return false;
    record.text = line;
    return true;
  }
};

// "texts.tsv.gz" → ".tsv"
std::string extension_of(const std::string& file) {
  std::filesystem::path path(file);
  const auto lower = [](std::string text) {
    for (char& c : text)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  };
  if (lower(path.extension().string()) == ".gz") path = path.stem();
  return lower(path.extension().string());
}

}  // namespace

InputFormat known_format(const std::string& file, LineReader& lines, const RecordFormat& format,
                         std::string& assumed) {
  if (format.format != InputFormat::automatic) return format.format;
  const std::string extension = extension_of(file);
  const auto assume = [&](const char* name, InputFormat found) {
    assumed = lines.name() + ": taken as " + name + "; --input-format says otherwise";
    return found;
  };
  if (extension == ".tsv" || extension == ".tab") return assume("tsv", InputFormat::tsv);
  if (extension == ".csv") return assume("csv", InputFormat::csv);
  std::string_view line;
  const bool some = lines.peek(line);
  if (extension == ".json" && some && line.starts_with('['))
    throw klue::FormatError("is one JSON array, not a JSON object per line",
                            {.file = lines.name(), .expected = "JSON lines: jq -c '.[]' FILE"});
  if (extension == ".jsonl" || extension == ".ndjson" || (some && is_json_object(line)))
    return assume("jsonl", InputFormat::jsonl);
  const bool columns =
      !format.field.empty() || !format.pair_field.empty() || !format.id_field.empty();
  if (columns && some && line.find('\t') != line.npos) return assume("tsv", InputFormat::tsv);
  return format.otherwise;
}

std::unique_ptr<RecordParser> make_record_parser(InputFormat format, const RecordFormat& options,
                                                 LineReader& lines) {
  switch (format) {
    case InputFormat::tsv:
      return make_table_parser('\t', options, lines);
    case InputFormat::csv:
      return make_table_parser(',', options, lines);
    case InputFormat::jsonl:
      return make_json_parser(options);
    case InputFormat::automatic:
    case InputFormat::lines:
      break;
  }
  if (!options.field.empty() || !options.pair_field.empty() || !options.id_field.empty())
    throw klue::FormatError("lines have no columns that --field could name",
                            {.file = lines.name(), .expected = "--input-format tsv, csv or jsonl"});
  return std::make_unique<PlainParser>();
}

}  // namespace tools
