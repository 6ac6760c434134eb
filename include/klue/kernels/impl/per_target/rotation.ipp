// What the 8-bit products share: how rows become 8-bit numbers.
//
// Weights are symmetric: q = round(w / scale) in −127…127, one scale per output feature.
// Activations are asymmetric: q = round(x / scale) + zero in 0…255, a scale and a zero per row;
// GELU's outputs are almost all on one side of 0, where this is worth a bit. Then
//   Σ x·w = row_scale × column_scale × (Σ qx·qw − row_zero × Σ qw)
//
// Trained transformers have a few features that are an order of magnitude above the others, and one
// of them would take the resolution of its whole row. Both sides are therefore rotated first: (x·H)
// times (w·H) is x·w for an orthogonal H, and a Hadamard matrix of order 16 leaves a quarter of an
// outlier in each of 16 places (Ashkboos et al., "QuaRot", 2024).

struct Range {
  float least, most;
};

// Collects the range of a row, widened to hold 0 so that 0 has a code of its own. Four chains, as
// the latency of minimum and maximum asks for.
class RangeFinder {
 public:
  [[gnu::always_inline]] RangeFinder() {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j)
      least_[j] = most_[j] = Vector{};
  }

  [[gnu::always_inline]] void add(Vector v, size_t chain) {
    least_[chain % 4] = minimum(least_[chain % 4], v);
    most_[chain % 4] = maximum(most_[chain % 4], v);
  }

  [[gnu::always_inline]] Range range() const {
    const Vector least = minimum(minimum(least_[0], least_[1]), minimum(least_[2], least_[3]));
    const Vector most = maximum(maximum(most_[0], most_[1]), maximum(most_[2], most_[3]));
    return {reduce<Least>(least), reduce<Most>(most)};
  }

 private:
  Vector least_[4], most_[4];
};

// A block of 16 vectors is rotated lane by lane, without any shuffle.
constexpr size_t kOrder = 16;
constexpr size_t kBlock = kOrder * kLanes;
constexpr size_t kLongestRotated = 8192;  // what a row's copy on the stack may take: 32 kB

constexpr bool rotates(size_t in_features) {
  return in_features % kBlock == 0 && in_features <= kLongestRotated;
}

// A row as it is quantised: rotated, where it can be, and its range.
struct Row {
  const float* numbers;
  Range range;
};

// copy = x · H without the factor 1/√16.
inline Row rotate(const float* x, size_t count, float* copy) {
  RangeFinder finder;
  for (size_t block = 0; block < count; block += kBlock) {
    Vector v[kOrder];
#pragma GCC unroll 16
    for (size_t j = 0; j < kOrder; ++j)
      v[j] = load_loose(x + block + j * kLanes);
#pragma GCC unroll 4
    for (size_t stride = 1; stride < kOrder; stride *= 2)
#pragma GCC unroll 16
      for (size_t j = 0; j < kOrder; ++j) {
        if ((j & stride) != 0) continue;
        const Vector sum = v[j] + v[j + stride];
        v[j + stride] = v[j] - v[j + stride];
        v[j] = sum;
      }
#pragma GCC unroll 16
    for (size_t j = 0; j < kOrder; ++j) {
      store(copy + block + j * kLanes, v[j]);
      finder.add(v[j], j);
    }
  }
  return {copy, finder.range()};
}

inline Row prepare(const float* row, size_t in_features, float* copy) {
  if (rotates(in_features)) return rotate(row, in_features, copy);
  RangeFinder finder;
  for (size_t i = 0; i < in_features; i += kLanes)
    finder.add(load_first(row + i, in_features - i), 0);
  return {row, finder.range()};
}

// The sums of 8-bit products as numbers: see above.
[[gnu::always_inline]] inline Vector scaled_sums(Integers sums, const Gemm& g, size_t row,
                                                 Vector column_scale, Vector column_sum,
                                                 Vector bias) {
  const Vector centred =
      __builtin_convertvector(sums, Vector) - broadcast(g.row_zero[row]) * column_sum;
  return multiply_add(centred, broadcast(g.row_scale[row]) * column_scale, bias);
}
