// The area under the curve of precision over recall, as scikit-learn 0.24.1 draws it: sklearn 1.x
// has other points, and another value for a class without examples.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/detail/klue_arithmetic.hpp>
#include <klue/task/detail/klue_checks.hpp>
#include <klue/task/klue_metrics.hpp>

namespace klue::metrics {
namespace {

struct CurvePoint {
  double recall, precision;
};

// From high to low probabilities, one point for each that occurs, until all examples of the class
// are found. `ranked` is sorted so.
std::vector<CurvePoint> precision_recall_curve(std::span<const std::pair<float, bool>> ranked,
                                               std::size_t positives) {
  std::vector<CurvePoint> curve;
  std::size_t found = 0;
  for (std::size_t i = 0; i < ranked.size() && found < positives;) {
    const float probability = ranked[i].first;
    for (; i < ranked.size() && ranked[i].first == probability; ++i)
      found += ranked[i].second ? 1 : 0;
    curve.push_back({static_cast<double>(found) / static_cast<double>(positives),
                     static_cast<double>(found) / static_cast<double>(i)});
  }
  return curve;
}

// numpy's trapz over the points in order of falling recall, (0, 1) the last, sign turned.
double area_under(std::vector<CurvePoint> curve) {
  std::reverse(curve.begin(), curve.end());
  curve.push_back({0, 1});
  std::vector<double> trapezoids;
  for (std::size_t k = 0; k + 1 < curve.size(); ++k)
    trapezoids.push_back((curve[k + 1].recall - curve[k].recall) *
                         (curve[k + 1].precision + curve[k].precision) / 2.0);
  return -detail::numpy_sum(trapezoids);
}

double class_area(std::span<const std::int32_t> gold, std::span<const float> probabilities,
                  std::int32_t label) {
  std::vector<std::pair<float, bool>> ranked;
  std::size_t positives = 0;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const bool is_positive = gold[i] == label;
    positives += is_positive ? 1 : 0;
    const std::size_t at = i * kReLabels + static_cast<std::size_t>(label);
    ranked.emplace_back(probabilities[at], is_positive);
  }
  if (positives == 0) return std::numeric_limits<double>::quiet_NaN();  // recall is 0/0
  std::sort(ranked.begin(), ranked.end(), std::greater<>());
  return area_under(precision_recall_curve(ranked, positives));
}

void check_probabilities(std::span<const std::int32_t> gold, std::span<const float> probabilities) {
  if (probabilities.size() != gold.size() * kReLabels)
    throw UsageError("not 30 for each gold label",
                     {.field = "probabilities",
                      .expected = std::to_string(gold.size() * kReLabels) + " numbers",
                      .actual = std::to_string(probabilities.size())});
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    if (!std::isfinite(probabilities[i]))
      throw UsageError("not a finite number",
                       {.field = "probabilities[" + std::to_string(i / kReLabels) + "][" +
                                 std::to_string(i % kReLabels) + "]"});
}

}  // namespace

double auprc(std::span<const std::int32_t> gold, std::span<const float> probabilities) {
  detail::check_klue_labels("gold", gold, kReLabels);
  check_probabilities(gold, probabilities);
  if (gold.empty()) throw UsageError("AUPRC needs an example", {.field = "gold"});
  std::vector<double> areas;
  for (std::int32_t label = 0; label < kReLabels; ++label)
    areas.push_back(class_area(gold, probabilities, label));
  return detail::numpy_mean(areas) * 100.0;
}

}  // namespace klue::metrics
