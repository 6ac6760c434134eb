#pragma once

#include <span>
#include <vector>

namespace evaluate {

/// The rank of every value, from 1; equal values share the mean of their ranks. O(n log n).
std::vector<double> ranks(std::span<const double> values);

/// Pearson's correlation, from -1 to 1, of two lists of one length. NaN where it is not defined:
/// fewer than two values, or all values of a list equal.
double pearson(std::span<const double> x, std::span<const double> y);

/// Spearman's rank correlation: Pearson's of the ranks. NaN as there.
double spearman(std::span<const double> x, std::span<const double> y);

}  // namespace evaluate
