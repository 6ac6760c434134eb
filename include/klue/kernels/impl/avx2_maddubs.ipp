// The 8-bit product of processors with AVX2 alone.

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include <klue/kernels/detail/kernels.hpp>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace klue::kernels::avx2_maddubs {
namespace {

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/avx2_vectors.ipp>
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
#include <klue/kernels/impl/per_target/rotation.ipp>
#include <klue/kernels/impl/per_target/maddubs.ipp>
// clang-format on

}  // namespace
}  // namespace klue::kernels::avx2_maddubs

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
