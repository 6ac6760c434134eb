// The 8-bit product of processors with AVX_VNNI: recent ones for desktops, which lack AVX-512.

#define Eigen klue_eigen_avx_vnni

#include "kernels/packet.hpp"

namespace klue::kernels {
namespace {
namespace wide {

using Sums = __m256i;

Sums zero() {
  return _mm256_setzero_si256();
}
Sums load(const void* from) {
  return _mm256_load_si256(static_cast<const __m256i*>(from));
}
Sums loadu(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
Sums add_products(Sums sums, int x, Sums weights) {
  return _mm256_dpbusd_avx_epi32(sums, _mm256_set1_epi32(x), weights);
}
Packet to_float(Sums sums) {
  return _mm256_cvtepi32_ps(sums);
}
void store_codes(std::uint8_t* to, Packet x) {
  const __m256i whole = _mm256_cvtps_epi32(x);
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
}
void store_rounded(std::int32_t* to, Packet x) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm256_cvtps_epi32(x));
}

}  // namespace wide
}  // namespace
}  // namespace klue::kernels

#include "kernels/int8_impl.hpp"

namespace klue::kernels {

extern const Product product_avx_vnni;
const Product product_avx_vnni = kInt8;

}  // namespace klue::kernels
