// The bfloat16 product of Arm processors with FEAT_BF16: bfmmla.

#include <cstddef>
#include <cstdint>

#include <arm_neon.h>

#include <klue/kernels/detail/kernels.hpp>

// GCC takes the instruction from the directive in the assembly, Clang from the attribute.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)
#endif

namespace klue::kernels::arm_bf16 {
namespace {

constexpr size_t kVectors = 24;  // ten rows: with more the compilers run out of registers

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/plain_vectors.ipp>
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
#include <klue/kernels/impl/per_target/round_bf16.ipp>
#include <klue/kernels/impl/per_target/matrix_products.ipp>
// clang-format on

struct Bfloats {
  static constexpr Precision kPrecision = Precision::bf16;
  using Sums = Vector;
  // In assembly: older compilers hide the intrinsic unless the whole file is compiled for it.
  [[gnu::always_inline]] static Sums multiply(Sums sums, Vector x, Vector weights) {
    asm(".arch armv8.2-a+bf16\n\tbfmmla %0.4s, %1.8h, %2.8h" : "+w"(sums) : "w"(x), "w"(weights));
    return sums;
  }
};

constexpr size_t kTogether = 4;  // numbers of one output feature

inline void convert_rows(const float* x, size_t rows, size_t x_stride, size_t in_features,
                         void* converted, float*, float*) {
  auto* to = static_cast<std::uint16_t*>(converted);
  const size_t row_numbers = round_up(in_features, kTogether);
  for (size_t r = 0; r < rows; ++r, x += x_stride, to += row_numbers) {
    for (size_t i = 0; i < in_features; ++i)
      to[i] = round_to_bf16(x[i]);
    for (size_t i = in_features; i < row_numbers; ++i)
      to[i] = 0;
  }
}

inline void pack_panel(const float* rows, size_t count, size_t in_features, void* panel, float*,
                       float*) {
  auto* const to = static_cast<std::uint16_t*>(panel);
  for (size_t n = 0; n < kPanel; ++n)
    for (size_t i = 0; i < round_up(in_features, kTogether); ++i)
      to[(i / kTogether * kPanel + n) * kTogether + i % kTogether] =
          n < count && i < in_features ? round_to_bf16(rows[n * in_features + i])
                                       : std::uint16_t{0};
}

constexpr Product kBf16{
    .precision = Precision::bf16,
    .form = "bfmmla",
    .panel_width = kPanel,
    .group_numbers = 2,
    .group_multiple = kTogether / 2,
    .plain_groups = false,
    .pack_panel = pack_panel,
    .convert_rows = convert_rows,
    .gemm = gemm<MatrixProducts<Bfloats>>,
    .finish = finish_panels<MatrixProducts<Bfloats>>,
};

}  // namespace
}  // namespace klue::kernels::arm_bf16

#if defined(__clang__)
#pragma clang attribute pop
#endif
