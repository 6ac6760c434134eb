// What processors with AVX512_VNNI multiply in whole numbers: the 8-bit product, and attention.

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include <klue/kernels/detail/kernels.hpp>

#if defined(__clang__)
#pragma clang attribute push(                                                          \
    __attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,avx512vnni"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,avx512vnni")
#endif

namespace klue::kernels::avx512_vnni {
namespace {

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/avx512_vectors.ipp>
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
#include <klue/kernels/impl/per_target/f32.ipp>
#include <klue/kernels/impl/per_target/attention.ipp>
#include <klue/kernels/impl/per_target/rotation.ipp>
// clang-format on

[[gnu::always_inline]] inline Integers add_products(Integers sums, int x, Integers weights) {
  return reinterpret_cast<Integers>(_mm512_dpbusd_epi32(
      reinterpret_cast<__m512i>(sums), _mm512_set1_epi32(x), reinterpret_cast<__m512i>(weights)));
}

[[gnu::always_inline]] inline Integers add_pairs(Integers sums, int x, Integers weights) {
  return reinterpret_cast<Integers>(_mm512_dpwssd_epi32(
      reinterpret_cast<__m512i>(sums), _mm512_set1_epi32(x), reinterpret_cast<__m512i>(weights)));
}

// With a mask, of all lanes, because GCC warns about its own header in the plain forms.
[[gnu::always_inline]] inline __m512i rounded(Vector x) {
  return _mm512_maskz_cvtps_epi32(0xffff, x);
}

[[gnu::always_inline]] inline void store_codes(std::uint8_t* to, Vector x) {
  const __m512i whole = _mm512_maskz_max_epi32(0xffff, rounded(x), _mm512_setzero_si512());
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_maskz_cvtusepi32_epi8(0xffff, whole));
}

[[gnu::always_inline]] inline void store_rounded(std::int32_t* to, Vector x) {
  _mm512_store_si512(to, rounded(x));
}

constexpr const char* kForm = "VNNI";
constexpr size_t kTogether = 4;
constexpr float kLeastCode = 0.0f;

// clang-format off
#include <klue/kernels/impl/per_target/dot_int8.ipp>
#include <klue/kernels/impl/per_target/int8.ipp>
#include <klue/kernels/impl/per_target/attention_words.ipp>
// clang-format on

}  // namespace
}  // namespace klue::kernels::avx512_vnni

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
