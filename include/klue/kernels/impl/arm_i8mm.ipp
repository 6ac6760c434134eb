// The 8-bit product of Arm processors with FEAT_I8MM: smmla.

#include <cstddef>
#include <cstdint>

#include <arm_neon.h>

#include <klue/kernels/detail/kernels.hpp>

// GCC takes the instruction from the directive in the assembly, Clang from the attribute.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("i8mm"))), apply_to = function)
#endif

namespace klue::kernels::i8mm {
namespace {

constexpr size_t kVectors = 24;  // ten rows: with more the compilers run out of registers

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/plain_vectors.ipp>
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
#include <klue/kernels/impl/per_target/rotation.ipp>
#include <klue/kernels/impl/per_target/arm_codes.ipp>
#include <klue/kernels/impl/per_target/matrix_products.ipp>
// clang-format on

constexpr const char* kForm = "smmla";
constexpr size_t kTogether = 8;

struct Bytes {
  static constexpr Precision kPrecision = Precision::int8;
  using Sums = Integers;
  // In assembly: older compilers hide the intrinsic unless the whole file is compiled for it.
  [[gnu::always_inline]] static Sums multiply(Sums sums, Vector x, Vector weights) {
    asm(".arch armv8.2-a+i8mm\n\tsmmla %0.4s, %1.16b, %2.16b" : "+w"(sums) : "w"(x), "w"(weights));
    return sums;
  }
  [[gnu::always_inline]] static Vector to_float(Sums sums, const Gemm& g, size_t row, Vector scale,
                                                Vector column_sum, Vector bias) {
    return scaled_sums(sums, g, row, scale, column_sum, bias);
  }
};
using Int8 = MatrixProducts<Bytes>;

#include <klue/kernels/impl/per_target/int8.ipp>

}  // namespace
}  // namespace klue::kernels::i8mm

#if defined(__clang__)
#pragma clang attribute pop
#endif
