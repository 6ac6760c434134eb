#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/texts.hpp>

#include "common/line_reader.hpp"
#include "common/record_parser.hpp"

namespace tools {

/// What becomes of a line that is not of its format.
enum class OnError { stop, skip, null };

/// Where texts come from, as a command line says it.
struct InputOptions {
  std::vector<std::string> files{};  ///< one after another; "-": standard input
  RecordFormat format{};
  std::string encoding{};  ///< empty: UTF-8, or as a byte order mark says
  OnError on_error = OnError::stop;
};

/// Reads the texts of files one by one, in memory for the longest line.
class RecordReader {
 public:
  using Note = std::function<void(const std::string&)>;

  /// `note` is told what was assumed and what was left out, in words for people.
  RecordReader(InputOptions options, Note note, std::stop_token stop = {});
  ~RecordReader();

  /// The next record, false behind the last. Throws klue::IoError for a file that cannot be read,
  /// klue::FormatError with file, line and, where there is one, column for a line that is not of
  /// the format (where on_error is stop) and for a file that holds no text or is plainly no UTF-8,
  /// and klue::StoppedError.
  bool next(Record& record);

  /// Whether next returns at once.
  bool ready();

  std::uint64_t bytes_read() const;   ///< of the files as they lie
  std::uint64_t bytes_total() const;  ///< 0 where that is not known
  /// Lines that were skipped, or are null records.
  std::size_t left_out() const noexcept { return left_out_; }

 private:
  bool open_next();
  bool next_of_file(Record& record);
  [[noreturn]] void fail(const LineError& error) const;

  InputOptions options_;
  Note note_;
  std::stop_token stop_;
  std::size_t next_file_ = 0;
  std::unique_ptr<LineReader> lines_;
  std::unique_ptr<RecordParser> parser_;
  std::uint64_t bytes_of_past_files_ = 0, bytes_total_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace tools
