// Exact search looks at every score, and keeps hardly any.

// Looked at before anything is decided.
constexpr size_t kScoresTogether = 64;

struct Either {
  [[gnu::always_inline]] static Vector of(Vector a, Vector b) {
    return reinterpret_cast<Vector>(reinterpret_cast<Bits>(a) | reinterpret_cast<Bits>(b));
  }
};

[[gnu::always_inline]] inline bool any_above(const float* products, const float* thresholds,
                                             Vector scale) {
  Bits above = {};
#pragma GCC unroll 16
  for (size_t i = 0; i < kScoresTogether; i += kLanes)
    above |= reinterpret_cast<Bits>(load_loose(products + i) * scale > load_loose(thresholds + i));
  const float any = reduce<Either>(reinterpret_cast<Vector>(above));
  std::uint32_t bits;
  __builtin_memcpy(&bits, &any, sizeof bits);
  return bits != 0;
}

inline size_t find_above(const float* products, const float* thresholds, size_t count,
                         float scale) {
  const Vector scales = broadcast(scale);
  size_t i = 0;
  while (i + kScoresTogether <= count && !any_above(products + i, thresholds + i, scales))
    i += kScoresTogether;
  while (i < count && !(products[i] * scale > thresholds[i]))
    ++i;
  return i;
}
