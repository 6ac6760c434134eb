#include "reader.hpp"

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/text/utf8.hpp>

namespace predict {
namespace {

// Enough to order by length, little enough to begin soon and to stay small.
constexpr std::size_t kRecordsAtOnce = 1024, kBytesAtOnce = 1 << 20;

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

Reader::Reader(const Options& options, klue::Task task) : options_(options), task_(task) {
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

std::vector<Record> Reader::read() {
  if (stream_ == nullptr) return arguments();
  std::vector<Record> records;
  std::size_t bytes = 0;
  for (std::string line;
       records.size() < kRecordsAtOnce && bytes < kBytesAtOnce && next_line(line);) {
    bytes += line.size();
    records.push_back(parse(std::move(line)));
  }
  return records;
}

// A question and a context, a query and its documents, or texts.
std::vector<Record> Reader::arguments() {
  std::vector<Record> records;
  if (next_ > 0) return records;
  const std::vector<std::string>& texts = options_.texts;
  next_ = texts.size();
  if (task_ == klue::Task::answer) {
    if (texts.size() != 2)
      throw klue::UsageError("give a question and the context that answers it",
                             {.actual = std::to_string(texts.size()) + " texts"});
    records.push_back({texts[0], texts[1]});
  } else if (task_ == klue::Task::rank) {
    if (texts.size() < 2)
      throw klue::UsageError("give a query and the documents to rank", {.actual = "one text"});
    for (std::size_t i = 1; i < texts.size(); ++i)
      records.push_back({texts[0], texts[i]});
  } else {
    for (const std::string& text : texts)
      records.push_back({text, std::nullopt});
  }
  return records;
}

bool Reader::next_line(std::string& line) {
  if (!std::getline(*stream_, line)) {
    if (stream_->bad()) throw klue::IoError("cannot read on", {.file = name()});
    return false;
  }
  if (next_++ == 0 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // byte order mark
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

Record Reader::parse(std::string line) const {
  const bool question = task_ == klue::Task::answer;
  const char* const first = question ? "question" : "text";
  const char* const second = question ? "context" : "text_pair";
  if (options_.input_format == InputFormat::tsv) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) return {std::move(line), std::nullopt};
    if (line.find('\t', tab + 1) != std::string::npos)
      refuse("too many columns", std::string(first).append("<TAB>").append(second));
    return {line.substr(0, tab), line.substr(tab + 1)};
  }
  if (options_.input_format == InputFormat::lines) return {std::move(line), std::nullopt};
  const nlohmann::json value = nlohmann::json::parse(valid_utf8(line), nullptr, false);
  const std::string expected =
      std::string("{\"").append(first).append("\": \"…\", \"").append(second).append("\": \"…\"}");
  if (!value.is_object() || !value.contains(first) || !value[first].is_string())
    refuse(std::string("not an object with a ").append(first), expected);
  Record record{value[first].get<std::string>(), std::nullopt};
  if (value.contains(second) && !value[second].is_null()) {
    if (!value[second].is_string()) refuse(std::string(second).append(" is no string"), expected);
    record.text_pair = value[second].get<std::string>();
  }
  return record;
}

void Reader::refuse(const std::string& message, std::string expected) const {
  throw klue::FormatError(
      message,
      {.file = name(), .field = "line " + std::to_string(next_), .expected = std::move(expected)});
}

}  // namespace predict
