#include <array>
#include <cstddef>
#include <limits>
#include <span>

#include <klue/task/detail/klue_arithmetic.hpp>

namespace klue::detail {

double numpy_sum(std::span<const double> terms) {
  const std::size_t n = terms.size();
  if (n < 8) {
    double sum = 0;
    for (const double term : terms)
      sum += term;
    return sum;
  }
  if (n > 128) {
    const std::size_t half = n / 2 - n / 2 % 8;
    return numpy_sum(terms.first(half)) + numpy_sum(terms.subspan(half));
  }
  std::array<double, 8> r;
  for (std::size_t i = 0; i < 8; ++i)
    r[i] = terms[i];
  std::size_t i = 8;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k)
      r[k] += terms[i + k];
  double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; ++i)
    sum += terms[i];
  return sum;
}

double numpy_mean(std::span<const double> terms) {
  if (terms.empty()) return std::numeric_limits<double>::quiet_NaN();
  return numpy_sum(terms) / static_cast<double>(terms.size());
}

double f1_share(const F1Counts& counts, double without) {
  const auto share = [&counts, without](std::size_t all) {
    return all == 0 ? without : static_cast<double>(counts.right) / static_cast<double>(all);
  };
  const double precision = share(counts.predicted), recall = share(counts.gold);
  if (precision + recall == 0) return 0;
  return 2 * precision * recall / (precision + recall);
}

}  // namespace klue::detail
