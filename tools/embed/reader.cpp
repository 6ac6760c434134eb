#include "reader.hpp"

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/text/utf8.hpp>

namespace embed {
namespace {

// A JSON parser refuses bytes that are no UTF-8; here they count as U+FFFD, as everywhere in text.
std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const klue::DecodedCodePoint point = klue::decode_utf8(text);
    klue::append_utf8(valid, point.value);
    text.remove_prefix(point.length);
  }
  return valid;
}

}  // namespace

Reader::Reader(const Options& options) : options_(options) {
  if (options.input.empty()) return;
  if (options.input == "-") {
    stream_ = &std::cin;
    return;
  }
  if (std::filesystem::is_directory(options.input))
    throw klue::IoError("is a directory, not a file of texts", {.file = options.input});
  file_.open(options.input, std::ios::binary);
  if (!file_)
    throw klue::IoError("cannot open the file",
                        {.file = options.input, .actual = std::generic_category().message(errno)});
  stream_ = &file_;
}

std::vector<Record> Reader::read(std::size_t most) {
  std::vector<Record> records;
  if (stream_ == nullptr) {
    for (; records.size() < most && next_ < options_.texts.size(); ++next_)
      records.push_back({options_.texts[next_], std::nullopt});
    return records;
  }
  for (std::string line; records.size() < most && next_line(line);)
    records.push_back(parse(std::move(line)));
  return records;
}

bool Reader::next_line(std::string& line) {
  if (!std::getline(*stream_, line)) {
    if (stream_->bad()) throw klue::IoError("cannot read on", {.file = options_.input});
    return false;
  }
  if (next_++ == 0 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // byte order mark
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

Record Reader::parse(std::string line) const {
  switch (options_.input_format) {
    case InputFormat::lines:
      break;
    case InputFormat::tsv: {
      const std::size_t tab = line.find('\t');
      if (tab == std::string::npos) break;
      if (line.find('\t', tab + 1) != std::string::npos)
        refuse("too many columns", "text, or text<TAB>text_pair");
      return {line.substr(0, tab), line.substr(tab + 1)};
    }
    case InputFormat::jsonl: {
      const nlohmann::json value = nlohmann::json::parse(valid_utf8(line), nullptr, false);
      constexpr const char* kExpected = R"({"text": "…"} or {"text": "…", "text_pair": "…"})";
      if (!value.is_object() || !value.contains("text") || !value["text"].is_string())
        refuse("not an object with a text", kExpected);
      Record record{value["text"].get<std::string>(), std::nullopt};
      if (value.contains("text_pair") && !value["text_pair"].is_null()) {
        if (!value["text_pair"].is_string()) refuse("text_pair is no string", kExpected);
        record.text_pair = value["text_pair"].get<std::string>();
      }
      return record;
    }
  }
  return {std::move(line), std::nullopt};
}

void Reader::refuse(const std::string& message, std::string expected) const {
  throw klue::FormatError(message,
                          {.file = options_.input == "-" ? "standard input" : options_.input,
                           .field = "line " + std::to_string(next_),
                           .expected = std::move(expected)});
}

}  // namespace embed
