#pragma once

#include <cstdint>

namespace klue {

/// What follows a linear layer. GELU is x/2 × (1 + erf(x/√2)), no tanh approximation.
enum class Activation : std::uint8_t { none, gelu, tanh, relu };

}  // namespace klue
