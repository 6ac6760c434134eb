#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace finetune {

/// The learning curve as a picture (SVG): the loss of every step, smoothed, and the development
/// score after each epoch.
struct Curve {
  std::string title;
  std::vector<double> losses;                          ///< of step 1, 2, …
  std::string score_name;                              ///< empty: no scores
  std::vector<std::pair<std::size_t, double>> scores;  ///< step and score
};

std::string draw(const Curve& curve);

}  // namespace finetune
