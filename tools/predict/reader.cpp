#include "reader.hpp"

#include <iostream>
#include <utility>

namespace predict {
namespace {

// Enough to order by length, little enough to begin soon and to stay small.
constexpr std::size_t kRecordsAtOnce = 1024, kBytesAtOnce = 1 << 20;

// Questions and contexts are called so where columns have names.
tools::InputOptions input_options(const Options& options, klue::Task task) {
  tools::InputOptions input{.files = {options.input},
                            .format = {.format = options.input_format,
                                       .field = options.field,
                                       .pair_field = options.pair_field}};
  if (task != klue::Task::answer) return input;
  input.format.usual_text = "question";
  input.format.usual_pair = "context";
  input.format.otherwise = tools::InputFormat::tsv;  // a line is a question and its context
  if (options.input_format == tools::InputFormat::lines)
    input.format.format = tools::InputFormat::tsv;
  // A question alone asks nothing: its context has its usual name even where it has another.
  if (!options.field.empty() && options.pair_field.empty()) input.format.pair_field = "context";
  return input;
}

}  // namespace

Reader::Reader(const Options& options, klue::Task task) : options_(options), task_(task) {
  if (options.input.empty()) return;
  reader_.emplace(input_options(options, task), [&options](const std::string& note) {
    if (!options.quiet) std::cerr << KLUE_PROGRAM ": " + note + "\n";
  });
}

std::vector<Record> Reader::read() {
  if (!reader_) return arguments();
  std::vector<Record> records;
  std::size_t bytes = 0;
  for (Record record; reader_->next(record); record = {}) {
    bytes += record.text.size() + (record.text_pair ? record.text_pair->size() : 0);
    records.push_back(std::move(record));
    if (records.size() == kRecordsAtOnce || bytes >= kBytesAtOnce || !reader_->ready()) break;
  }
  return records;
}

// A question and a context, a query and its documents, or texts.
std::vector<Record> Reader::arguments() {
  std::vector<Record> records;
  if (std::exchange(done_, true)) return records;
  const std::vector<std::string>& texts = options_.texts;
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

klue::ErrorContext Reader::place_of(const Record& record, std::size_t index) const {
  if (!reader_) return {.field = "text " + std::to_string(index)};
  return {.file = tools::display_name(options_.input),
          .field = "line " + std::to_string(record.line)};
}

}  // namespace predict
