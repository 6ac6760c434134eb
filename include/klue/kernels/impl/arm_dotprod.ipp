// The 8-bit product of Arm processors with FEAT_DotProd: sdot.

#include <cstddef>
#include <cstdint>

#include <arm_neon.h>

#include <klue/kernels/detail/kernels.hpp>

// GCC takes the instruction from the directive in the assembly, Clang from the attribute.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#endif

namespace klue::kernels::dotprod {
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
// clang-format on

constexpr const char* kForm = "sdot";
constexpr size_t kTogether = 4;

// In assembly: older compilers hide the intrinsic unless the whole file is compiled for it.
[[gnu::always_inline]] inline Integers add_products(Integers sums, int x, Integers weights) {
  float group;  // in a vector register, of which sdot takes the first four bytes for all lanes
  __builtin_memcpy(&group, &x, sizeof(group));
  asm(".arch armv8.2-a+dotprod\n\tsdot %0.4s, %1.16b, %2.4b[0]"
      : "+w"(sums)
      : "w"(weights), "w"(group));
  return sums;
}

// clang-format off
#include <klue/kernels/impl/per_target/dot_int8.ipp>
#include <klue/kernels/impl/per_target/int8.ipp>
// clang-format on

}  // namespace
}  // namespace klue::kernels::dotprod

#if defined(__clang__)
#pragma clang attribute pop
#endif
