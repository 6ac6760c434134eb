// The bfloat16 product of processors with AVX512_BF16.

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include <klue/kernels/detail/kernels.hpp>

#if defined(__clang__)
#pragma clang attribute push(                                                          \
    __attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,avx512bf16"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,avx512bf16")
#endif

namespace klue::kernels::avx512_bf16 {
namespace {

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/avx512_vectors.ipp>
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
// clang-format on

struct Bf16 : StoredGroups {
  static constexpr Precision kPrecision = Precision::bf16;
  using Accuracy = Close;
  using Sums = Vector;
  [[gnu::always_inline]] static Sums zero() { return Vector{}; }
  [[gnu::always_inline]] static Sums load_sums(const float* sums) { return load_loose(sums); }
  [[gnu::always_inline]] static Sums accumulate(const float* x, Vector weights, Sums sums) {
    int group;
    __builtin_memcpy(&group, x, sizeof(group));
    return _mm512_dpbf16_ps(sums, reinterpret_cast<__m512bh>(_mm512_set1_epi32(group)),
                            reinterpret_cast<__m512bh>(weights));
  }
};

// Sixteen floats, the first `count` of them from memory, rounded to nearest even.
inline __m256i to_bf16(const float* from, size_t count) {
  return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(load_first(from, count)));
}

inline void convert_rows(const float* x, size_t rows, size_t x_stride, size_t in_features,
                         void* converted, float*, float*) {
  const size_t row_numbers = round_up(in_features, 2);
  auto* to = static_cast<std::uint16_t*>(converted);
  for (size_t r = 0; r < rows; ++r, x += x_stride, to += row_numbers)
    for (size_t i = 0; i < in_features; i += kLanes) {
      const __m256i numbers = to_bf16(x + i, in_features - i);
      const size_t left = row_numbers - i;
      if (left >= kLanes)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), numbers);
      else
        _mm256_mask_storeu_epi16(to + i, static_cast<__mmask16>((1u << left) - 1), numbers);
    }
}

inline void pack_panel(const float* rows, size_t count, size_t in_features, void* panel, float*,
                       float*) {
  auto* const to = static_cast<std::uint16_t*>(panel);
  const size_t row_numbers = round_up(in_features, 2);
  alignas(32) std::uint16_t numbers[kLanes];
  for (size_t n = 0; n < kPanel; ++n)
    for (size_t i = 0; i < row_numbers; i += kLanes) {
      const bool real = n < count && i < in_features;
      _mm256_store_si256(
          reinterpret_cast<__m256i*>(numbers),
          real ? to_bf16(rows + n * in_features + i, in_features - i) : _mm256_setzero_si256());
      for (size_t j = 0; j < kLanes && i + j < row_numbers; ++j)
        to[((i + j) / 2 * kPanel + n) * 2 + (i + j) % 2] = numbers[j];
    }
}

constexpr Product kBf16{
    .precision = Precision::bf16,
    .form = "AVX512_BF16",
    .panel_width = kPanel,
    .group_numbers = 2,
    .pack_panel = pack_panel,
    .convert_rows = convert_rows,
    .gemm = gemm<Bf16>,
    .finish = finish_panels<Bf16>,
};

}  // namespace
}  // namespace klue::kernels::avx512_bf16

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
