#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "options.hpp"
#include "score.hpp"

namespace evaluate {

/// One line of the result.
struct Row {
  std::string file;
  std::size_t pairs = 0;
  std::string what;  ///< a precision, or "ngrams"
  double spearman = 0, pearson = 0;
};

/// One line of the result of a task: the official scores.
struct ScoreRow {
  std::string file;
  std::size_t examples = 0;
  std::string what;  ///< a precision
  Scores scores;
};

/// The result as text, headings included: columns for people with four decimals, or tab-separated
/// values with as many digits as read back the same. What is not defined is "nan".
std::string table(std::span<const Row> rows, Format format);

/// The same for rows that have the same scores. Format::jsonl is an object a row.
std::string table(std::span<const ScoreRow> rows, Format format);

}  // namespace evaluate
