#pragma once

#include <cstddef>
#include <fstream>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include <klue/klue.hpp>

#include "options.hpp"

namespace predict {

/// A text of the input, or a pair; of the task answer a question and its context.
struct Record {
  std::string text;
  std::optional<std::string> text_pair;

  operator klue::TextPair() const {
    return {text, text_pair ? std::optional<std::string_view>(*text_pair) : std::nullopt};
  }
};

/// Reads the texts of a command line or a file, in parts of bounded size.
class Reader {
 public:
  /// Throws klue::IoError where the file cannot be opened.
  Reader(const Options& options, klue::Task task);

  /// Further records: as many as are worth computing together; none at the end. Throws
  /// klue::FormatError with the line number for a line that is not of the input format.
  std::vector<Record> read();

  /// How errors call a place of the input.
  std::string name() const { return options_.input == "-" ? "standard input" : options_.input; }
  bool from_file() const noexcept { return stream_ != nullptr; }

  /// Records that have been read; the last one was that line of the file.
  std::size_t count() const noexcept { return next_; }

 private:
  bool next_line(std::string& line);
  Record parse(std::string line) const;
  std::vector<Record> arguments();
  [[noreturn]] void refuse(const std::string& message, std::string expected) const;

  const Options& options_;
  klue::Task task_;
  std::ifstream file_;
  std::istream* stream_ = nullptr;  // nullptr: the command line's texts
  std::size_t next_ = 0;            // lines or texts read
};

}  // namespace predict
