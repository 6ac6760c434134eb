#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmark.hpp"
#include "prediction_set.hpp"

namespace evaluate {

/// The official scores of one set, by name and in order: percentages, NaN where one is not defined.
struct Scores {
  std::vector<std::pair<const char*, double>> values;
  /// Why the original would have refused to give one of them, which is NaN then.
  std::optional<std::string> refusal{};
};

/// Scores a set of predictions, which is a JSON object:
///
///     {"name": …, "gold": […], "predictions": […]}
///
/// Labels are numbers in KLUE's order, for ner those of all characters in one row; for sts numbers,
/// which become float32; for mrc texts, gold a list of texts for each ([] for a question without an
/// answer), and "question_types" (1, 2, 3; all 1 where it is absent) decides the order of summing.
/// For re, "probabilities", a list of 30 numbers each, may stand instead of predictions or beside
/// them. A number that is none is null, "nan", or NaN as Python writes it.
///
/// Throws klue::FormatError with the place.
Scores score(Benchmark benchmark, const PredictionSet& set);

/// Scores every line of `in` and writes one JSON line each: the name, the scores with 17
/// significant digits, null for NaN, and "error" where the original refuses. Says that on standard
/// error, too, and then returns false. Empty lines are left out.
bool score_lines(Benchmark benchmark, std::istream& in, const std::string& file, std::ostream& out,
                 std::ostream& err);

/// A score as it is written.
std::string json_number(double value);

}  // namespace evaluate
