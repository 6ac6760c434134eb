#pragma once

#include <cstddef>

namespace klue::bench {

/// y [rows, out] = x [rows, in] · weightsᵀ, weights [out, in].
void plain_eigen_product(const float* x, std::size_t rows, const float* weights, std::size_t in,
                         std::size_t out, float* y);

}  // namespace klue::bench
