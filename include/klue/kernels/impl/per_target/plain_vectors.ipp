// Vectors of 16 bytes, in the compilers' vector extensions alone.

typedef float Vector __attribute__((vector_size(16), may_alias));
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
