#pragma once

#include <cstddef>
#include <fstream>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include <klue/klue.hpp>

#include "options.hpp"

namespace embed {

/// A text of the input, or a pair.
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
  explicit Reader(const Options& options);

  /// Up to `most` further records; none at the end. Throws klue::FormatError with the line number
  /// for a line that is not of the input format.
  std::vector<Record> read(std::size_t most);

 private:
  bool next_line(std::string& line);
  Record parse(std::string line) const;
  [[noreturn]] void refuse(const std::string& message, std::string expected) const;

  const Options& options_;
  std::ifstream file_;
  std::istream* stream_ = nullptr;  // nullptr: the command line's texts
  std::size_t next_ = 0;            // lines or texts read
};

}  // namespace embed
