#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <klue/core/texts.hpp>

#include "common/line_reader.hpp"

namespace tools {

enum class InputFormat { automatic, lines, tsv, csv, jsonl };

/// A text of the input, or a pair.
struct Record {
  std::string text;
  std::optional<std::string> text_pair;
  std::optional<std::string> id{};  ///< of the column that was asked for
  bool id_is_number = false;        ///< in JSON; `id` is its spelling there
  bool is_null = false;             ///< stands for a line that was no record
  std::size_t file = 0, line = 0;   ///< where it begins: which file, and the line from 1

  operator klue::TextPair() const {
    return {text, text_pair ? std::optional<std::string_view>(*text_pair) : std::nullopt};
  }
};

/// What of a line is what. Columns are named by the header, or counted from 1.
struct RecordFormat {
  InputFormat format = InputFormat::automatic;
  std::string field{}, pair_field{}, id_field{};
  /// What text and pair are called where no field is named, and what a file is that looks like
  /// nothing else.
  std::string usual_text = "text", usual_pair = "text_pair";
  InputFormat otherwise = InputFormat::lines;
};

/// What is wrong with a line.
struct LineError {
  std::size_t line;    ///< from 1
  std::size_t column;  ///< in bytes, from 1; 0: the whole line
  std::string message, expected;
};

/// Makes records of the lines of one file.
class RecordParser {
 public:
  virtual ~RecordParser() = default;

  /// The next record, false behind the last. Throws LineError, and can be called again after it.
  virtual bool next(LineReader& lines, Record& record) = 0;
};

/// The format of a file by its name and its first line, which `assumed` gets a word about where it
/// is neither said nor what any file is. Throws klue::FormatError for a JSON array.
InputFormat known_format(const std::string& file, LineReader& lines, const RecordFormat& format,
                         std::string& assumed);

/// Reads a header where the format has one. Throws LineError where it lacks a column.
std::unique_ptr<RecordParser> make_record_parser(InputFormat format, const RecordFormat& options,
                                                 LineReader& lines);

}  // namespace tools
