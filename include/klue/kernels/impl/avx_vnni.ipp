// What processors with AVX_VNNI multiply in whole numbers: recent ones for desktops, which lack
// AVX-512.

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include <klue/kernels/detail/kernels.hpp>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avxvnni")
#endif

namespace klue::kernels::avx_vnni {
namespace {

// Each needs what stands before it.
// clang-format off
#include <klue/kernels/impl/per_target/avx2_vectors.ipp>
#include <klue/kernels/impl/per_target/simd.ipp>
#include <klue/kernels/impl/per_target/math.ipp>
#include <klue/kernels/impl/per_target/product.ipp>
#include <klue/kernels/impl/per_target/f32.ipp>
#include <klue/kernels/impl/per_target/attention.ipp>
#include <klue/kernels/impl/per_target/rotation.ipp>
// clang-format on

[[gnu::always_inline]] inline Integers add_products(Integers sums, int x, Integers weights) {
  return reinterpret_cast<Integers>(_mm256_dpbusd_avx_epi32(
      reinterpret_cast<__m256i>(sums), _mm256_set1_epi32(x), reinterpret_cast<__m256i>(weights)));
}

[[gnu::always_inline]] inline Integers add_pairs(Integers sums, int x, Integers weights) {
  return reinterpret_cast<Integers>(_mm256_dpwssd_avx_epi32(
      reinterpret_cast<__m256i>(sums), _mm256_set1_epi32(x), reinterpret_cast<__m256i>(weights)));
}

[[gnu::always_inline]] inline void store_codes(std::uint8_t* to, Vector x) {
  const __m256i whole = _mm256_cvtps_epi32(x);
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
}

[[gnu::always_inline]] inline void store_rounded(std::int32_t* to, Vector x) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm256_cvtps_epi32(x));
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
}  // namespace klue::kernels::avx_vnni

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
