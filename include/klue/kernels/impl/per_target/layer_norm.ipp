// Layer normalisation.

struct Itself {
  [[gnu::always_inline]] Vector operator()(Vector x) const { return x; }
};

struct SquaredDistance {
  Vector from;
  [[gnu::always_inline]] Vector operator()(Vector x) const {
    const Vector distance = x - from;
    return distance * distance;
  }
};

// Σ term(x) over a row: four independent chains, as the addition's latency asks for.
template <class Term>
[[gnu::always_inline]] inline float sum_of(const float* x, size_t columns, const Term& term) {
  Vector sums[4] = {};
  size_t i = 0;
  for (; i + 4 * kLanes <= columns; i += 4 * kLanes)
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j)
      sums[j] = sums[j] + term(load_loose(x + i + j * kLanes));
  for (; i + kLanes <= columns; i += kLanes)
    sums[0] = sums[0] + term(load_loose(x + i));
  float sum = reduce<Sum>((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < columns; ++i)
    sum += term(broadcast(x[i]))[0];
  return sum;
}

inline void layer_norm(const float* x, size_t rows, size_t columns, const float* gamma,
                       const float* beta, float epsilon, float* y) {
  const float count = static_cast<float>(columns);
  for (size_t row = 0; row < rows; ++row, x += columns, y += columns) {
    const Vector mean = broadcast(sum_of(x, columns, Itself{}) / count);
    // Around the mean, in a second pass: E[x²] − E[x]² would cancel under outlier features.
    const float variance = sum_of(x, columns, SquaredDistance{mean}) / count;
    const Vector scale = broadcast(1.0f / __builtin_sqrtf(variance + epsilon));
    for (size_t i = 0; i < columns; i += kLanes) {
      const size_t left = columns - i;
      const Vector normal = (load_first(x + i, left) - mean) * scale;
      const Vector value =
          multiply_add(normal, load_first(gamma + i, left), load_first(beta + i, left));
      store_first(y + i, value, left);
    }
  }
}
