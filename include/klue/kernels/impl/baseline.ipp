// The numeric code that every processor of the architecture runs, in the compilers' vector
// extensions alone: SSE2 on x86-64, Advanced SIMD on AArch64, and whatever there is elsewhere.

#include <cstddef>
#include <cstdint>

#include <klue/kernels/detail/kernels.hpp>

namespace klue::kernels::baseline {
namespace {

typedef float Vector __attribute__((vector_size(16), may_alias));
#if defined(__aarch64__)
constexpr size_t kVectors = 32;
#else
constexpr size_t kVectors = 16;
#endif

// One instruction where the architecture has it.
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return a * b + c;
}
[[gnu::always_inline]] inline Vector minimum(Vector a, Vector b) {
  return b < a ? b : a;
}
[[gnu::always_inline]] inline Vector maximum(Vector a, Vector b) {
  return a < b ? b : a;
}
[[gnu::always_inline]] inline void hold([[maybe_unused]] Vector& x) {
#if defined(__x86_64__)
  asm("" : "+x"(x));
#endif
}

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
#include <klue/kernels/impl/per_target/f32.ipp>
#include <klue/kernels/impl/per_target/attention.ipp>
#include <klue/kernels/impl/per_target/layer_norm.ipp>
// clang-format on

constexpr Table kTable{
    .isa = Isa::baseline,
    .name = "baseline",
    .f32 = &kF32,
    .attention_scratch = attention_scratch,
    .attention_head = attention_head,
    .layer_norm = layer_norm,
    .activate = activate_all,
};

}  // namespace
}  // namespace klue::kernels::baseline
