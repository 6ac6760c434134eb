// The 8-bit product of processors with AVX512_VNNI.

#define Eigen klue_eigen_avx512_vnni

#include "kernels/packet.hpp"

namespace klue::kernels {
namespace {
namespace wide {

using Sums = __m512i;

Sums zero() {
  return _mm512_setzero_si512();
}
Sums load(const void* from) {
  return _mm512_load_si512(from);
}
Sums loadu(const void* from) {
  return _mm512_loadu_si512(from);
}
Sums add_products(Sums sums, int x, Sums weights) {
  return _mm512_dpbusd_epi32(sums, _mm512_set1_epi32(x), weights);
}
Packet to_float(Sums sums) {
  return _mm512_cvtepi32_ps(sums);
}
void store_codes(std::uint8_t* to, Packet x) {
  const __m512i whole = _mm512_max_epi32(_mm512_cvtps_epi32(x), _mm512_setzero_si512());
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(whole));
}
void store_rounded(std::int32_t* to, Packet x) {
  _mm512_store_si512(to, _mm512_cvtps_epi32(x));
}

}  // namespace wide
}  // namespace
}  // namespace klue::kernels

#include "kernels/int8_impl.hpp"

namespace klue::kernels {

extern const Product product_avx512_vnni;
const Product product_avx512_vnni = kInt8;

}  // namespace klue::kernels
