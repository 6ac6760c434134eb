// Scores of whole entities: seqeval 1.2.2 with mode="strict" and scheme=IOB2.

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include <klue/task/detail/klue_arithmetic.hpp>
#include <klue/task/detail/klue_checks.hpp>
#include <klue/task/klue_metrics.hpp>

namespace klue::metrics {
namespace {

constexpr std::size_t kEntityTypes = 6;

struct LabelledSpan {
  std::size_t begin, end;  // [begin, end)
  std::size_t type;

  auto operator<=>(const LabelledSpan&) const = default;
};

// B-X is 2·X, I-X is 2·X + 1.
std::vector<LabelledSpan> strict_spans(std::span<const std::int32_t> labels) {
  std::vector<LabelledSpan> spans;
  for (std::size_t i = 0; i < labels.size();) {
    const std::int32_t label = labels[i];
    const std::size_t begin = i++;
    if (label == kNerLabels - 1 || label % 2 != 0) continue;
    while (i < labels.size() && labels[i] == label + 1)
      ++i;
    spans.push_back({begin, i, static_cast<std::size_t>(label / 2)});
  }
  return spans;
}

}  // namespace

double entity_macro_f1(std::span<const std::int32_t> gold,
                       std::span<const std::int32_t> predictions) {
  detail::check_klue_labels(gold, predictions, kNerLabels);
  const std::vector<LabelledSpan> truth = strict_spans(gold);
  const std::set<LabelledSpan> known(truth.begin(), truth.end());
  std::array<detail::F1Counts, kEntityTypes> counts{};
  for (const LabelledSpan& span : truth)
    ++counts[span.type].gold;
  for (const LabelledSpan& span : strict_spans(predictions)) {
    ++counts[span.type].predicted;
    counts[span.type].right += known.count(span);
  }
  std::vector<double> shares;
  for (const std::size_t type : {3u, 1u, 2u, 0u, 5u, 4u})  // by name: DT LC OG PS QT TI
    if (counts[type].gold + counts[type].predicted > 0)
      shares.push_back(detail::f1_share(counts[type]));
  return detail::numpy_mean(shares) * 100.0;
}

}  // namespace klue::metrics
