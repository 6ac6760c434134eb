#include "common/record_reader.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <klue/core/error.hpp>

namespace tools {

RecordReader::RecordReader(InputOptions options, Note note, std::stop_token stop)
    : options_(std::move(options)), note_(std::move(note)), stop_(std::move(stop)) {
  if (!options_.encoding.empty()) check_encoding_name(options_.encoding);
  for (const std::string& file : options_.files) {
    std::error_code error;
    const auto size =
        std::filesystem::is_regular_file(file, error) ? std::filesystem::file_size(file, error) : 0;
    if (error || size == 0) {
      bytes_total_ = 0;
      break;
    }
    bytes_total_ += size;
  }
  open_next();  // what cannot be opened is told before any work is done
}

RecordReader::~RecordReader() = default;

bool RecordReader::open_next() {
  if (lines_) bytes_of_past_files_ += lines_->position();
  if (next_file_ == options_.files.size()) return false;
  const std::string& file = options_.files[next_file_++];
  parser_.reset();
  lines_ = std::make_unique<LineReader>(file, options_.encoding, stop_);
  return true;
}

bool RecordReader::next(Record& record) {
  while (lines_) {
    record = {};
    try {
      if (next_of_file(record)) return true;
    } catch (const LineError& error) {
      if (options_.on_error == OnError::stop || !parser_) fail(error);
      ++left_out_;
      constexpr std::size_t kNamed = 20;
      if (left_out_ <= kNamed)
        note_(lines_->name() + ": line " + std::to_string(error.line) + ": " + error.message +
              (options_.on_error == OnError::skip ? ": left out" : ": a vector of NaN"));
      else if (left_out_ == kNamed + 1)
        note_("more such lines are counted, not listed");
      if (options_.on_error == OnError::skip) continue;
      record = {.text = {}, .text_pair = {}, .is_null = true};
      record.file = next_file_ - 1;
      record.line = error.line;
      return true;
    }
    if (!open_next()) return false;
  }
  return false;
}

bool RecordReader::next_of_file(Record& record) {
  if (!parser_) {
    std::string assumed;
    const InputFormat format =
        known_format(options_.files[next_file_ - 1], *lines_, options_.format, assumed);
    if (!assumed.empty()) note_(assumed);
    parser_ = make_record_parser(format, options_.format, *lines_);
  }
  record.file = next_file_ - 1;
  record.line = lines_->line() + 1;
  return parser_->next(*lines_, record);
}

bool RecordReader::ready() {
  return !lines_ || !parser_ || lines_->ready();
}

std::uint64_t RecordReader::bytes_read() const {
  return bytes_of_past_files_ + (lines_ ? lines_->position() : 0);
}

std::uint64_t RecordReader::bytes_total() const {
  return bytes_total_;
}

void RecordReader::fail(const LineError& error) const {
  const std::string message = error.column == 0
                                  ? error.message
                                  : "column " + std::to_string(error.column) + ": " + error.message;
  throw klue::FormatError(message, {.file = lines_->name(),
                                    .field = "line " + std::to_string(error.line),
                                    .expected = error.expected});
}

}  // namespace tools
