// Scores of similarities: scipy's pearsonr and the F1 of being similar.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/detail/klue_arithmetic.hpp>
#include <klue/task/detail/klue_checks.hpp>
#include <klue/task/klue_metrics.hpp>

namespace klue::metrics {
namespace {

bool is_constant(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(),
                     [&values](float value) { return value == values[0]; });
}

// The values less their mean, divided by their length then.
std::vector<double> centred_direction(std::span<const float> values, std::string_view side) {
  std::vector<double> result(values.begin(), values.end());
  for (const double value : result)
    if (!std::isfinite(value))
      throw UsageError("Pearson's correlation needs finite numbers", {.field = std::string(side)});
  const double mean = detail::numpy_mean(result);
  double largest = 0;  // as a unit, so that no square overflows
  for (double& value : result) {
    value -= mean;
    largest = std::max(largest, std::abs(value));
  }
  double squares = 0;
  for (const double value : result)
    squares += value / largest * (value / largest);
  for (double& value : result)
    value /= largest * std::sqrt(squares);
  return result;
}

double sign_of_step(std::span<const float> two) {
  const float step = two[1] - two[0];
  return std::isnan(step) ? static_cast<double>(step) : step > 0 ? 1 : step < 0 ? -1 : 0;
}

}  // namespace

double pearson(std::span<const float> gold, std::span<const float> predictions) {
  detail::check_klue_sides(gold.size(), predictions.size());
  if (gold.size() < 2)
    throw UsageError("Pearson's correlation needs two points",
                     {.field = "predictions", .actual = std::to_string(gold.size())});
  if (is_constant(gold) || is_constant(predictions))
    return std::numeric_limits<double>::quiet_NaN();
  if (gold.size() == 2) return sign_of_step(gold) * sign_of_step(predictions) * 100.0;
  const std::vector<double> x = centred_direction(predictions, "predictions");
  const std::vector<double> y = centred_direction(gold, "gold");
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += x[i] * y[i];
  return std::clamp(sum, -1.0, 1.0) * 100.0;
}

double f1_at_3(std::span<const float> gold, std::span<const float> predictions) {
  detail::check_klue_sides(gold.size(), predictions.size());
  detail::F1Counts counts;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const bool truth = gold[i] >= 3, predicted = predictions[i] >= 3;  // a NaN is not
    counts.gold += truth ? 1 : 0;
    counts.predicted += predicted ? 1 : 0;
    counts.right += truth && predicted ? 1 : 0;
  }
  return detail::f1_share(counts) * 100.0;
}

}  // namespace klue::metrics
