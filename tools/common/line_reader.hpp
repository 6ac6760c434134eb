#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/byte_source.hpp"
#include "common/text_encoding.hpp"

namespace tools {

/// Throws klue::FormatError where the content of a file is plainly no text in UTF-8: packed, an
/// array, in another encoding. What LineReader looks at, for who reads files whole.
void check_text(std::string_view content, const std::string& name);

/// The lines of a file: unpacked where gzip packed it, in UTF-8 whatever its encoding, without line
/// ends. Bytes that are no UTF-8 stay as they are.
class LineReader {
 public:
  /// Throws klue::IoError where the file cannot be opened, klue::FormatError where its first bytes
  /// say that it is no text, or in another encoding.
  LineReader(const std::string& file, const std::string& encoding, std::stop_token stop);

  /// The next line, valid until the next call; false behind the last. Throws klue::FormatError
  /// where the text turns out to be in another encoding, or a line to be longer than 1 GiB.
  bool next(std::string_view& line);

  /// The next line without reading it; false where there is none. Waits for it.
  bool peek(std::string_view& line);

  /// Whether next returns at once.
  bool ready();

  std::size_t line() const noexcept { return line_; }  ///< number of the last line, from 1
  std::uint64_t position() const { return source_->position(); }
  const std::string& name() const noexcept { return name_; }

 private:
  bool find_line();
  void check_encoding(std::string_view line);

  std::string name_;
  std::unique_ptr<ByteSource> source_;
  bool guarded_;  // the encoding was not given
  EncodingGuard guard_;
  std::string buffer_;
  std::size_t begin_ = 0, line_end_ = 0, searched_ = 0;  // of buffer_
  bool ended_ = false, found_ = false;
  std::size_t line_ = 0;
};

}  // namespace tools
