#include "common/table_record.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace tools {
namespace {

using Row = std::vector<std::string>;

std::optional<std::size_t> column_number(const std::string& field) {
  std::size_t number = 0;
  const auto read = std::from_chars(field.data(), field.data() + field.size(), number);
  if (read.ec != std::errc() || read.ptr != field.data() + field.size() || number == 0)
    return std::nullopt;
  return number - 1;
}

void split_plain(std::string_view line, char separator, Row& row) {
  row.clear();
  for (;;) {
    const std::size_t end = line.find(separator);
    row.emplace_back(line.substr(0, end));
    if (end == line.npos) return;
    line.remove_prefix(end + 1);
  }
}

// Splits a row with quotes, whose values may go on behind the end of a line.
class QuotedRow {
 public:
  explicit QuotedRow(char separator) : separator_(separator) {}

  // True where the row ends with this line. Linear in the row, however many lines it has.
  bool add(std::string_view text, std::size_t line, Row& row) {
    std::size_t at = 0;
    if (inside_)
      row.back().push_back('\n');
    else
      row.clear();
    for (;; ++at) {
      if (!inside_) {
        row.emplace_back();
        inside_ = at < text.size() && text[at] == '"';
        if (inside_) opened_ = ++at;
      }
      if (inside_) {
        if (!read_quoted(text, at, row.back())) return false;
        inside_ = false;
        if (at < text.size() && text[at] != separator_)
          throw LineError{line, at + 1, "text behind a closing quote",
                          "a comma, or \"\" for a quote inside"};
      } else {
        const std::size_t end = std::min(text.find(separator_, at), text.size());
        row.back() = text.substr(at, end - at);
        at = end;
      }
      if (at >= text.size()) return true;
    }
  }

  std::size_t opened() const { return opened_; }  // column of the last opening quote, from 1
  void reset() { inside_ = false; }

 private:
  // From behind an opening quote to behind the closing one; false where the line ends before it.
  static bool read_quoted(std::string_view text, std::size_t& at, std::string& value) {
    for (;;) {
      const std::size_t quote = text.find('"', at);
      value.append(text.substr(at, quote - at));
      if (quote == text.npos) return false;
      at = quote + 1;
      if (at == text.size() || text[at] != '"') return true;
      value.push_back('"');
      ++at;
    }
  }

  char separator_;
  bool inside_ = false;
  std::size_t opened_ = 0;
};

class TableParser final : public RecordParser {
 public:
  TableParser(char separator, const RecordFormat& options, LineReader& lines)
      : separator_(separator), quoted_(separator == ','), options_(options) {
    const auto is_name = [](const std::string& field) {
      return !field.empty() && !column_number(field);
    };
    has_header_ = quoted_ || is_name(options.field) || is_name(options.pair_field) ||
                  is_name(options.id_field);
    if (has_header_ && read_row(lines, header_)) header_line_ = lines.line();
    choose_columns();
  }

  bool next(LineReader& lines, Record& record) override {
    if (!read_row(lines, row_)) return false;
    const std::size_t line = row_line_;
    if (quoted_ && row_.size() != header_.size() && !(row_.size() == 1 && row_[0].empty()))
      throw LineError{line, 0, "has " + std::to_string(row_.size()) + " columns",
                      std::to_string(header_.size()) + ", as the header has"};
    if (!text_) {  // a tsv of texts or pairs
      if (row_.size() > 2)
        throw LineError{line, 0, "too many columns",
                        "text, or text<TAB>text_pair; --field NAME|N says which one it is"};
      record.text = std::move(row_[0]);
      if (row_.size() == 2) record.text_pair = std::move(row_[1]);
      return true;
    }
    if (id_) record.id = value(*id_, line);
    if (pair_) record.text_pair = value(*pair_, line);
    record.text = value(*text_, line);
    return true;
  }

 private:
  bool read_row(LineReader& lines, Row& row) {
    std::string_view line;
    if (!lines.next(line)) return false;
    row_line_ = lines.line();
    if (!quoted_) return split_plain(line, separator_, row), true;
    splitter_.reset();
    while (!splitter_.add(line, lines.line(), row))
      if (!lines.next(line))
        throw LineError{row_line_, splitter_.opened(), "a quote is never closed",
                        "a closing quote"};
    return true;
  }

  std::string value(std::size_t column, std::size_t line) const {
    if (column >= row_.size())
      throw LineError{line, 0, "has no column " + std::to_string(column + 1),
                      "at most " + std::to_string(row_.size())};
    return row_[column];
  }

  void choose_columns() {
    if (!options_.field.empty())
      text_ = column_of(options_.field);
    else if (has_header_)
      text_ = usual_text_column();
    else if (!options_.pair_field.empty() || !options_.id_field.empty())
      text_ = 0;
    if (!options_.pair_field.empty())
      pair_ = column_of(options_.pair_field);
    else if (options_.field.empty() && has_header_)
      pair_ = find(options_.usual_pair);
    if (!options_.id_field.empty()) id_ = column_of(options_.id_field);
  }

  std::optional<std::size_t> find(const std::string& name) const {
    const auto found = std::ranges::find(header_, name);
    if (found == header_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - header_.begin());
  }

  std::size_t column_of(const std::string& field) const {
    if (const auto found = find(field)) return *found;
    if (const auto number = column_number(field)) return *number;
    throw LineError{1, 0, "has no column \"" + field + "\"", column_names()};
  }

  std::optional<std::size_t> usual_text_column() const {
    if (header_.empty()) return std::nullopt;  // an empty file
    if (const auto found = find(options_.usual_text)) return found;
    if (header_.size() == 1) return 0;
    throw LineError{1, 0, "has no column \"" + options_.usual_text + "\"",
                    column_names() + "; --field NAME|N"};
  }

  std::string column_names() const {
    std::string names;
    for (const std::string& name : header_)
      names.append(names.empty() ? "one of " : ", ").append(name);
    return names;
  }

  char separator_;
  bool quoted_, has_header_ = false;
  RecordFormat options_;
  Row header_, row_;
  QuotedRow splitter_{','};
  std::size_t header_line_ = 0, row_line_ = 0;
  std::optional<std::size_t> text_, pair_, id_;
};

}  // namespace

std::unique_ptr<RecordParser> make_table_parser(char separator, const RecordFormat& options,
                                                LineReader& lines) {
  return std::make_unique<TableParser>(separator, options, lines);
}

}  // namespace tools
