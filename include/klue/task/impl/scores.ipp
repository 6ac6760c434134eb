#include <algorithm>
#include <cmath>
#include <numeric>

#include <klue/task/detail/scores.hpp>

namespace klue::detail {

std::vector<double> softmax(std::span<const float> logits) {
  std::vector<double> scores(logits.begin(), logits.end());
  double largest = scores.front(), sum = 0;
  for (const double x : scores)
    if (x > largest || std::isnan(x)) largest = x;
  for (double& x : scores)
    sum += x = std::exp(x - largest);
  for (double& x : scores)
    x /= sum;
  return scores;
}

double sigmoid(double logit) {
  return 1 / (1 + std::exp(-logit));
}

std::vector<double> scores_of(std::span<const float> logits, ScoreFunction function) {
  if (function == ScoreFunction::softmax) return softmax(logits);
  std::vector<double> scores(logits.begin(), logits.end());
  if (function == ScoreFunction::sigmoid)
    for (double& x : scores)
      x = sigmoid(x);
  return scores;
}

std::size_t first_largest(std::span<const double> values) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < values.size() && !std::isnan(values[best]); ++i)
    if (values[i] > values[best] || std::isnan(values[i])) best = i;
  return best;
}

std::vector<std::size_t> best_first(std::span<const double> values, std::size_t most) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  most = std::min(most, order.size());
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(most);
  std::partial_sort(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
    if (std::isnan(values[a]) || std::isnan(values[b]))
      return std::isnan(values[a]) == std::isnan(values[b]) ? a < b : std::isnan(values[b]);
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  order.erase(end, order.end());
  return order;
}

}  // namespace klue::detail
