// The numeric code that every processor of the architecture runs, in the compilers' vector
// extensions alone: SSE2 on x86-64, Advanced SIMD on AArch64, and whatever there is elsewhere.

#include <cstddef>
#include <cstdint>

#include <klue/kernels/detail/kernels.hpp>

namespace klue::kernels::baseline {
namespace {

#if defined(__aarch64__)
constexpr size_t kVectors = 32;
#else
constexpr size_t kVectors = 16;
#endif

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/plain_vectors.ipp>
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
    .isa = Isa::baseline,
    .name = "baseline",
    .f32 = &kF32,
    .bf16 = &kWidenedBf16,
    .int8 = &kWidenedInt8,
    .automatic = Precision::f32,
    .attention = &kAttention,
    .low_attention = &kAttention,
    .layer_norm = layer_norm,
    .transpose = transpose_matrix,
    .activate = activate_all,
    .find_above = find_above,
};

}  // namespace
}  // namespace klue::kernels::baseline
