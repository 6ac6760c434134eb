#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <klue/train.hpp>

#include "dataset.hpp"
#include "scores.hpp"

namespace finetune {

/// The network's scores on a dataset, the one that decides first. Higher is better; of mlm it is
/// the negative loss.
std::vector<Score> evaluate(klue::train::Network<float>& network, const Plan& plan,
                            const Dataset& data, const klue::train::Masking& masking,
                            std::span<const std::int32_t> special);

}  // namespace finetune
