// The numeric code of processors with AVX-512: the F, DQ, BW and VL parts.

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include <klue/kernels/detail/kernels.hpp>

#if defined(__clang__)
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")
#endif

namespace klue::kernels::avx512 {
namespace {

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/avx512_vectors.ipp>
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
#include <klue/kernels/impl/per_target/f32.ipp>
#include <klue/kernels/impl/per_target/round_bf16.ipp>
#include <klue/kernels/impl/per_target/widened.ipp>
#include <klue/kernels/impl/per_target/attention.ipp>
#include <klue/kernels/impl/per_target/layer_norm.ipp>
#include <klue/kernels/impl/per_target/transpose.ipp>
#include <klue/kernels/impl/per_target/find_above.ipp>
// clang-format on

constexpr Table kTable{
    .isa = Isa::avx512,
    .name = "AVX-512",
    .f32 = &kF32,
    .bf16 = &kWidenedBf16,
    .int8 = &avx2_maddubs::kInt8,
    .automatic = Precision::f32,
    .attention = &kAttention,
    .low_attention = &kAttention,
    .layer_norm = layer_norm,
    .transpose = transpose_matrix,
    .activate = activate_all,
    .find_above = find_above,
};

}  // namespace
}  // namespace klue::kernels::avx512

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
