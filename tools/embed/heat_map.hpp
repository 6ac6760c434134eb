#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace embed {

/// A square matrix of cosines as an SVG picture: a cell for each pair of texts, labelled with the
/// texts, numbers in the cells where there is room, and a legend. The colours (cividis) keep their
/// order for colour-blind people and in print without colour.
std::string heat_map(const std::vector<std::string>& labels, std::span<const float> cosines);

}  // namespace embed
