// The numeric code of processors with AVX2 and FMA.

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

namespace klue::kernels::avx2 {
namespace {

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/avx2_vectors.ipp>
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

[[gnu::always_inline]] inline Integers add_pairs(Integers sums, int x, Integers weights) {
  return sums + reinterpret_cast<Integers>(
                    _mm256_madd_epi16(_mm256_set1_epi32(x), reinterpret_cast<__m256i>(weights)));
}

#include <klue/kernels/impl/per_target/attention_words.ipp>

constexpr Table kTable{
    .isa = Isa::avx2,
    .name = "AVX2",
    .f32 = &kF32,
    .bf16 = &kWidenedBf16,
    .int8 = &avx2_maddubs::kInt8,
    .automatic = Precision::int8,
    .attention = &kAttention,
    .low_attention = &kWordAttention,
    .layer_norm = layer_norm,
    .transpose = transpose_matrix,
    .activate = activate_all,
    .find_above = find_above,
};

}  // namespace
}  // namespace klue::kernels::avx2

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
