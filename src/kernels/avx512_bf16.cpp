// The bfloat16 product of processors with AVX512_BF16.

#define Eigen klue_eigen_avx512_bf16

#include "kernels/packet.hpp"
#include "kernels/product.hpp"

namespace klue::kernels {
namespace {

struct Bf16 {
  static constexpr Precision kPrecision = Precision::bf16;
  using Accuracy = Close;
  using Sum = __m512;
  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum load_sum(const float* sums) { return _mm512_loadu_ps(sums); }
  static __m512i load(const float* weights) { return _mm512_load_si512(weights); }
  static Sum multiply_add(const float* x, __m512i weights, Sum sum) {
    int group;
    __builtin_memcpy(&group, x, sizeof(group));
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32(group), (__m512bh)weights);
  }
};

// Sixteen floats, the first `count` of them from memory, rounded to nearest even.
__m256i to_bf16(const float* from, size_t count) {
  return (__m256i)_mm512_cvtneps_pbh(load_first(from, count));
}

void convert_rows(const float* x, size_t rows, size_t x_stride, size_t in_features, void* converted,
                  float*, float*) {
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

void pack_panel(const float* rows, size_t count, size_t in_features, void* panel, float*, float*) {
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

}  // namespace

extern const Product product_avx512_bf16;
const Product product_avx512_bf16 = {
    .precision = Precision::bf16,
    .panel_width = kPanel,
    .group_numbers = 2,
    .pack_panel = pack_panel,
    .convert_rows = convert_rows,
    .gemm = gemm<Bf16>,
    .finish = finish_panels<Bf16>,
};

}  // namespace klue::kernels
