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

// Sixteen groups of two neighbours, the first `count` numbers from memory.
inline Vector load_pairs(const float* from, size_t count) {
  const Vector low = load_first(from, count);
  const Vector high = load_first(from + kLanes, count > kLanes ? count - kLanes : 0);
  return reinterpret_cast<Vector>(_mm512_cvtne2ps_pbh(high, low));
}

inline void pack_panel(const float* rows, size_t count, size_t in_features, void* panel, float*,
                       float*) {
  auto* const to = static_cast<float*>(panel);
  const size_t groups = round_up(in_features, 2) / 2;
  for (size_t half = 0; half < kPanel; half += kLanes)
    for (size_t group = 0; group < groups; group += kLanes) {
      Vector block[kLanes];
#pragma GCC unroll 16
      for (size_t r = 0; r < kLanes; ++r)
        block[r] = half + r < count ? load_pairs(rows + (half + r) * in_features + 2 * group,
                                                 in_features - 2 * group)
                                    : Vector{};
      transpose(block);
      const size_t left = groups - group;
#pragma GCC unroll 16
      for (size_t k = 0; k < kLanes; ++k)
        if (k < left) store(to + (group + k) * kPanel + half, block[k]);
    }
}

inline void pack_columns(const float* matrix, size_t row_stride, size_t in_features, size_t count,
                         void* panels) {
  // Of what _mm512_cvtne2ps_pbh leaves one row after the other, a number of either in turns.
  alignas(64) constexpr std::uint16_t kInTurns[2 * kLanes] = {
      0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i in_turns = _mm512_load_si512(kInTurns);
  const size_t panel_floats = round_up(in_features, 2) / 2 * kPanel;
  auto* to = static_cast<float*>(panels);
  for (size_t k = 0; k < in_features; k += 2, matrix += 2 * row_stride, to += kPanel) {
    const size_t left = in_features - k;
    const float* const next = matrix + row_stride;
    prefetch_columns(matrix, row_stride, left, count);
    if (left > 1) prefetch_columns(next, row_stride, left - 1, count);
    float* panel = to;
    for (size_t n = 0; n < count; n += kPanel, panel += panel_floats)
      for (size_t half = 0; half < kPanel; half += kLanes) {
        const Vector first = load_columns(matrix, n + half, count);
        const Vector second = left > 1 ? load_columns(next, n + half, count) : Vector{};
        const __m512bh rows = _mm512_cvtne2ps_pbh(second, first);
        store(panel + half, reinterpret_cast<Vector>(_mm512_permutexvar_epi16(
                                in_turns, reinterpret_cast<__m512i>(rows))));
      }
  }
}

constexpr Product kBf16{
    .precision = Precision::bf16,
    .form = "AVX512_BF16",
    .panel_width = kPanel,
    .group_numbers = 2,
    .pack_panel = pack_panel,
    .pack_columns = pack_columns,
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
