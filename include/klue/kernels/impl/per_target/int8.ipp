// The 8-bit product. The files beside this folder that include it define
//   add_products(sums, x, w)     sums + x · w for four numbers x (u8) and groups of four (s8) w
//   store_codes(p, vector)       the nearest whole numbers, saturated to 0…255, a byte each
//   store_rounded(p, vector)     the nearest whole numbers, int32; p is aligned to a vector
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

struct Int8 {
  static constexpr Precision kPrecision = Precision::int8;
  using Accuracy = Close;
  using Sums = Integers;
  [[gnu::always_inline]] static Sums zero() { return Sums{}; }
  [[gnu::always_inline]] static Sums load_sums(const float* sums) {
    return reinterpret_cast<Sums>(load_loose(sums));
  }
  [[gnu::always_inline]] static Sums accumulate(const float* x, Vector weights, Sums sums) {
    int group;
    __builtin_memcpy(&group, x, sizeof(group));
    return add_products(sums, group, reinterpret_cast<Integers>(weights));
  }
  [[gnu::always_inline]] static Vector to_float(Sums sums, float row_scale, float row_zero,
                                                Vector column_scale, Vector column_sum,
                                                Vector bias) {
    const Vector centred = __builtin_convertvector(sums, Vector) - broadcast(row_zero) * column_sum;
    return multiply_add(centred, broadcast(row_scale) * column_scale, bias);
  }
};

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

inline void convert_rows(const float* x, size_t rows, size_t x_stride, size_t in_features,
                         void* converted, float* row_scale, float* row_zero) {
  alignas(64) float copy[kLongestRotated];
  const size_t row_numbers = round_up(in_features, 4);
  auto* to = static_cast<std::uint8_t*>(converted);
  for (size_t r = 0; r < rows; ++r, x += x_stride, to += row_numbers) {
    const Row row = prepare(x, in_features, copy);
    const float width = row.range.most - row.range.least;
    const float scale = width > 0.0f ? width / 255.0f : 1.0f;
    const float zero = __builtin_rintf(-row.range.least / scale);
    row_scale[r] = scale;
    row_zero[r] = zero;
    const Vector inverse = broadcast(1.0f / scale), offset = broadcast(zero);
    for (size_t i = 0; i < in_features; i += kLanes) {
      // To the nearest; rounding may reach −1 or 256, which saturate.
      const Vector codes =
          multiply_add(load_first(row.numbers + i, in_features - i), inverse, offset);
      const size_t left = row_numbers - i;
      if (left >= kLanes) {
        store_codes(to + i, codes);
      } else {
        alignas(64) std::uint8_t last[kLanes];
        store_codes(last, codes);
        __builtin_memcpy(to + i, last, left);
      }
    }
  }
}

inline void pack_panel(const float* rows, size_t count, size_t in_features, void* panel,
                       float* column_scale, float* column_sum) {
  alignas(64) float copy[kLongestRotated];
  auto* const to = static_cast<std::int8_t*>(panel);
  const size_t row_numbers = round_up(in_features, 4);
  alignas(64) std::int32_t numbers[kLanes];
  for (size_t n = 0; n < kPanel; ++n) {
    const bool real = n < count;
    const Row row = real ? prepare(rows + n * in_features, in_features, copy) : Row{};
    const float largest = row.range.most > -row.range.least ? row.range.most : -row.range.least;
    const float scale = largest > 0.0f ? largest / 127.0f : 1.0f;
    std::int32_t sum = 0;
    for (size_t i = 0; i < row_numbers; i += kLanes) {
      const Vector weights =
          real && i < in_features ? load_first(row.numbers + i, in_features - i) : Vector{};
      store_rounded(numbers, weights * broadcast(1.0f / scale));
      for (size_t j = 0; j < kLanes && i + j < row_numbers; ++j) {
        to[((i + j) / 4 * kPanel + n) * 4 + (i + j) % 4] = static_cast<std::int8_t>(numbers[j]);
        sum += numbers[j];
      }
    }
    // The rotations' factors 1/√16, both here.
    column_scale[n] = rotates(in_features) ? scale / static_cast<float>(kOrder) : scale;
    column_sum[n] = static_cast<float>(sum);
  }
}

constexpr Product kInt8{
    .precision = Precision::int8,
    .panel_width = kPanel,
    .group_numbers = 4,
    .pack_panel = pack_panel,
    .convert_rows = convert_rows,
    .gemm = gemm<Int8>,
    .finish = finish_panels<Int8>,
};
