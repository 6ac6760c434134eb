#pragma once

#include <cstddef>
#include <span>

/// The arithmetic under KLUE's scores, in the order that decides their last digit.
namespace klue::detail {

/// numpy's sum of a contiguous row (`pairwise_sum` of its loops_utils.h): up to 128 terms by eight
/// running sums, more by halves.
double numpy_sum(std::span<const double> terms);

/// `numpy_sum` / n; NaN for none.
double numpy_mean(std::span<const double> terms);

/// What scikit-learn's F1 of a class is made from.
struct F1Counts {
  std::size_t right = 0, predicted = 0, gold = 0;
};

/// 2·P·R/(P+R), from left to right, as a share. P or R is `without` where its denominator is 0.
double f1_share(const F1Counts& counts, double without = 0);

}  // namespace klue::detail
