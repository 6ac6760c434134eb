// Vectors of AVX2.

using Vector = __m256;
constexpr size_t kVectors = 16;

[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm256_fmadd_ps(a, b, c);
}
// The instructions return their second operand where one is not a number.
[[gnu::always_inline]] inline Vector minimum(Vector a, Vector b) {
  return _mm256_min_ps(b, a);
}
[[gnu::always_inline]] inline Vector maximum(Vector a, Vector b) {
  return _mm256_max_ps(b, a);
}
[[gnu::always_inline]] inline void hold(Vector& x) {
  asm("" : "+x"(x));
}
