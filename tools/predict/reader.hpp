#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <klue/klue.hpp>

#include "common/record_reader.hpp"
#include "options.hpp"

namespace predict {

/// A text of the input, or a pair; of the task answer a question and its context.
using Record = tools::Record;

/// Reads the texts of a command line or a file, in parts of bounded size.
class Reader {
 public:
  /// Throws klue::IoError where the file cannot be opened.
  Reader(const Options& options, klue::Task task);

  /// Further records: as many as are worth computing together, fewer where the next is not there
  /// yet, none at the end. Throws klue::FormatError with the line number for a line that is not of
  /// the input format.
  std::vector<Record> read();

  /// Where a record stands, for errors: a file, and "line 7" or "text 3".
  klue::ErrorContext place_of(const Record& record, std::size_t index) const;

 private:
  std::vector<Record> arguments();

  const Options& options_;
  klue::Task task_;
  std::optional<tools::RecordReader> reader_;  // none: the command line's texts
  bool done_ = false;
};

}  // namespace predict
