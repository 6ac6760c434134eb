#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

/// The pieces of a WordPiece model and their ids, 0…size()-1. Immutable, moved and not copied.
class KLUE_EXPORT Vocabulary {
 public:
  Vocabulary() noexcept;

  /// Piece i gets id i. An empty string is a hole: an id that no text can produce. `source` is the
  /// file named in errors. Throws FormatError where two ids have the same piece, a piece is not
  /// valid UTF-8 or nothing is left.
  explicit Vocabulary(std::vector<std::string> pieces, std::string source = {});

  Vocabulary(const Vocabulary&) = delete;
  Vocabulary(Vocabulary&&) noexcept;
  Vocabulary& operator=(const Vocabulary&) = delete;
  Vocabulary& operator=(Vocabulary&&) noexcept;
  ~Vocabulary();

  /// Reads a vocab.txt: one piece a line, its line number (from 0) is its id.
  ///
  /// Harmless oddities load: a byte order mark, CRLF line ends, no newline after the last line, and
  /// blank lines, which keep their id (those at the end are dropped). Throws FormatError with the
  /// file and line for a duplicate, a NUL, invalid UTF-8 or a file without pieces, IoError where
  /// the file cannot be read.
  static Vocabulary read(const std::filesystem::path& vocab_txt);

  /// The same from memory; `source` is the name used in errors.
  static Vocabulary parse(std::string_view vocab_txt, std::string source = "vocab.txt");

  /// One more than the largest id.
  std::size_t size() const noexcept { return pieces_.size(); }
  /// Whether there are no pieces.
  bool empty() const noexcept { return pieces_.empty(); }

  /// The piece of an id, as the file has it ("##" included). Throws UsageError outside 0…size()-1.
  const std::string& piece(std::int32_t id) const;

  /// The id of a piece, if it is one. Average O(length).
  std::optional<std::int32_t> find(std::string_view piece) const;

  /// All, by id.
  const std::vector<std::string>& pieces() const noexcept { return pieces_; }

  /// What it holds.
  std::size_t memory_bytes() const noexcept;

 private:
  struct Ids;
  std::vector<std::string> pieces_;
  std::shared_ptr<const Ids> ids_;  // nullptr where there are no pieces
};

}  // namespace klue
