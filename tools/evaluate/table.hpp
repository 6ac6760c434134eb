#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "options.hpp"

namespace evaluate {

/// One line of the result.
struct Row {
  std::string file;
  std::size_t pairs = 0;
  std::string what;  ///< a precision, or "ngrams"
  double spearman = 0, pearson = 0;
};

/// The result as text, headings included: columns for people with four decimals, or tab-separated
/// values with as many digits as read back the same. What is not defined is "nan".
std::string table(std::span<const Row> rows, Format format);

}  // namespace evaluate
