// Polynomials, exp2, GELU and the other activations, on vectors of one instruction set (simd.ipp).
//
// The functions work on several vectors side by side: each is one long chain of dependent
// instructions, and a processor keeps busy only with a few chains at once.

// Coefficients from the highest power down.
template <size_t Vectors, size_t Count>
[[gnu::always_inline]] inline void polynomial(const Vector (&x)[Vectors],
                                              const float (&coefficients)[Count],
                                              Vector (&sum)[Vectors]) {
#pragma GCC unroll 8
  for (Vector& s : sum)
    s = broadcast(coefficients[0]);
#pragma GCC unroll 16
  for (size_t c = 1; c < Count; ++c)
#pragma GCC unroll 8
    for (size_t i = 0; i < Vectors; ++i)
      sum[i] = multiply_add(sum[i], x[i], broadcast(coefficients[c]));
}

// How closely exp2 and gelu approximate: minimax polynomials for 2^x on [−½, ½], in relative error,
// and log₂ Φ(−t) on [0, 6], in what it makes of x·Φ(x).
struct Exact {  // to 3 units in the last place (2 where multiply-adds are fused), or to 5e-8
  static constexpr float kPowers[] = {0.00015345810970757157f,
                                      0.0013399930903688073f,
                                      0.009618489071726799f,
                                      0.05550328642129898f,
                                      0.24022646248340607f,
                                      0.6931471824645996f,
                                      1.0f};
  static constexpr float kLogTail[] = {4.455013140614028e-07f,   -8.622883797215763e-06f,
                                       6.96776551194489e-05f,    -0.0002686362713575363f,
                                       -1.1432371138653252e-05f, 0.006956474855542183f,
                                       -0.05244798585772514f,    -0.45921817421913147f,
                                       -1.1511045694351196f,     -1.0f};
};

struct Close {  // to 5e-6 of the number, or 1e-6: for what is rounded to 8 bits next
  static constexpr float kPowers[] = {0.009582853876054287f, 0.055906426161527634f,
                                      0.24024099111557007f, 0.6931241750717163f, 1.0f};
  static constexpr float kLogTail[] = {-0.0005031764158047736f, 0.007300245575606823f,
                                       -0.05237933620810509f,   -0.4593852758407593f,
                                       -1.151062250137329f,     -1.0f};
};

// 2^x for x in [−126, 127]. Adding 1.5 · 2^23 leaves the nearest whole number in the low bits, from
// where it goes to the exponent; the rest, at most ½, is a polynomial.
template <class Accuracy, size_t Vectors>
[[gnu::always_inline]] inline void exp2(Vector (&x)[Vectors]) {
  const Vector shifter = broadcast(12582912.0f);
  Vector shifted[Vectors], power[Vectors];
#pragma GCC unroll 8
  for (size_t i = 0; i < Vectors; ++i) {
    shifted[i] = x[i] + shifter;
    x[i] = x[i] - (shifted[i] - shifter);
  }
  polynomial(x, Accuracy::kPowers, power);
#pragma GCC unroll 8
  for (size_t i = 0; i < Vectors; ++i) {
    const Bits exponent = reinterpret_cast<Bits>(shifted[i]) << 23;
    x[i] = reinterpret_cast<Vector>(reinterpret_cast<Bits>(power[i]) + exponent);
  }
}

// ---------------------------------------------------------------------------------- activations

[[gnu::always_inline]] inline Vector absolute(Vector x) {
  return reinterpret_cast<Vector>(reinterpret_cast<Bits>(x) & ~(Bits{} + (1u << 31)));
}

// x·Φ(x) = max(x, 0) − |x|·Φ(−|x|): the negative tail does not cancel. log₂ Φ(−t) is smooth enough
// for one polynomial on [0, 6]; beyond, Φ(−t) is nothing.
template <class Accuracy, size_t Vectors>
[[gnu::always_inline]] inline void gelu(Vector (&x)[Vectors]) {
  Vector t[Vectors], tail[Vectors];
#pragma GCC unroll 8
  for (size_t i = 0; i < Vectors; ++i)
    t[i] = minimum(absolute(x[i]), broadcast(6.0f));
  polynomial(t, Accuracy::kLogTail, tail);
  exp2<Accuracy>(tail);
#pragma GCC unroll 8
  for (size_t i = 0; i < Vectors; ++i)
    x[i] = maximum(x[i], broadcast(0.0f)) - t[i] * tail[i];
}

// Only the pooler needs tanh, on one row per sentence: the C library's is exact and fast enough.
inline Vector tanh(Vector x) {
  alignas(64) float lanes[kLanes];
  store(lanes, x);
  for (float& lane : lanes)
    lane = __builtin_tanhf(lane);
  return load(lanes);
}

template <class Accuracy, size_t Vectors>
[[gnu::always_inline]] inline void activate(Activation activation, Vector (&x)[Vectors]) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::gelu:
      return gelu<Accuracy>(x);
    case Activation::relu:
      for (Vector& vector : x)
        vector = maximum(vector, broadcast(0.0f));
      return;
    case Activation::tanh:
      for (Vector& vector : x)
        vector = tanh(vector);
  }
}

inline void activate_all(Activation activation, float* x, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) {
    Vector y[1] = {load_first(x + i, count - i)};
    activate<Exact>(activation, y);
    store_first(x + i, y[0], count - i);
  }
}
