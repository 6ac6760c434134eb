// Scores of labels: YNAT, NLI, the characters of NER and the classes of RE.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <klue/task/detail/klue_arithmetic.hpp>
#include <klue/task/detail/klue_checks.hpp>
#include <klue/task/klue_metrics.hpp>

namespace klue::metrics {
namespace {

// The counts of every label.
std::vector<detail::F1Counts> label_counts(std::span<const std::int32_t> gold,
                                           std::span<const std::int32_t> predictions,
                                           std::int32_t labels) {
  detail::check_klue_labels(gold, predictions, labels);
  std::vector<detail::F1Counts> counts(static_cast<std::size_t>(labels));
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const auto truth = static_cast<std::size_t>(gold[i]);
    const auto predicted = static_cast<std::size_t>(predictions[i]);
    ++counts[truth].gold;
    ++counts[predicted].predicted;
    if (truth == predicted) ++counts[truth].right;
  }
  return counts;
}

}  // namespace

double macro_f1(std::span<const std::int32_t> gold, std::span<const std::int32_t> predictions) {
  std::vector<double> shares;
  for (const detail::F1Counts& counts : label_counts(gold, predictions, kYnatLabels))
    if (counts.gold + counts.predicted > 0) shares.push_back(detail::f1_share(counts));
  return detail::numpy_mean(shares) * 100.0;
}

double accuracy(std::span<const std::int32_t> gold, std::span<const std::int32_t> predictions) {
  std::size_t right = 0;
  for (const detail::F1Counts& counts : label_counts(gold, predictions, kNliLabels))
    right += counts.right;
  if (gold.empty()) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(right) / static_cast<double>(gold.size()) * 100.0;
}

double character_macro_f1(std::span<const std::int32_t> gold,
                          std::span<const std::int32_t> predictions) {
  std::vector<double> shares;
  for (const detail::F1Counts& counts : label_counts(gold, predictions, kNerLabels))
    shares.push_back(detail::f1_share(counts, 1));
  return detail::numpy_mean(shares) * 100.0;
}

double micro_f1(std::span<const std::int32_t> gold, std::span<const std::int32_t> predictions) {
  const std::vector<detail::F1Counts> counts = label_counts(gold, predictions, kReLabels);
  detail::F1Counts all;
  for (const detail::F1Counts& relation : std::span(counts).subspan(1)) {  // 0 is no_relation
    all.right += relation.right;
    all.predicted += relation.predicted;
    all.gold += relation.gold;
  }
  return detail::f1_share(all) * 100.0;
}

}  // namespace klue::metrics
