// Vectors of AVX-512.

using Vector = __m512;
constexpr size_t kVectors = 32;

[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm512_fmadd_ps(a, b, c);
}
// The instructions return their second operand where one is not a number. With a mask, of all
// lanes, because GCC warns about its own header in the plain forms.
[[gnu::always_inline]] inline Vector minimum(Vector a, Vector b) {
  return _mm512_maskz_min_ps(0xffff, b, a);
}
[[gnu::always_inline]] inline Vector maximum(Vector a, Vector b) {
  return _mm512_maskz_max_ps(0xffff, b, a);
}
[[gnu::always_inline]] inline void hold(Vector& x) {
  asm("" : "+v"(x));
}
