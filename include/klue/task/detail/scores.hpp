#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <klue/task/classify.hpp>

/// Logits to scores, in double: what a float32 logit cannot tell apart stays equal, and nothing is
/// lost on top of it.
namespace klue::detail {

/// exp(x) over the sum of all. NaN makes all of them NaN, as NumPy has it.
std::vector<double> softmax(std::span<const float> logits);

double sigmoid(double logit);

/// Any of the three functions; `automatic` must have been resolved.
std::vector<double> scores_of(std::span<const float> logits, ScoreFunction function);

/// numpy.argmax: the first NaN, else the first of the largest. `values` must not be empty.
std::size_t first_largest(std::span<const double> values);

/// Up to `most` indices by falling value, equals in their order, NaN last. O(n log n).
std::vector<std::size_t> best_first(std::span<const double> values, std::size_t most);

}  // namespace klue::detail
