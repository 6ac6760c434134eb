// The 8-bit product by maddubs, which multiplies 8-bit numbers without a sign by ones with a sign,
// and adds them up two by two in 16 bits. Those would overflow, and the instruction saturates: what
// it is given must not let it. Adding up four products in 16 bits before they become 32 bits is
// half as fast again as two, so the bound is on four:
//   kMostCode × Σ max(w, 0) ≤ 32767 and kMostCode × Σ max(−w, 0) ≤ 32767 over each four weights.
// A row's scale is chosen for the least error that this leaves: a few of the four that are largest
// together may be made smaller so that all the others are finer.
//
// Four of 32 numbers that are added up in 16 bits are lane i of four vectors, for i = 0 … 7: byte
// 2j, 2j + 1 of group 2p and of group 2p + 1, where i = 2p + j. Any order serves as long as
// activations and weights have the same.
//
// One bit less than the processors with VNNI have is made up for by a wider rotation
// (rotation.ipp): within each vector, too, so that an outlier is spread over 128 places.

constexpr float kMostCode = 180.0f;  // of an activation
constexpr float kMostTogether = static_cast<float>(32767 / static_cast<int>(kMostCode));
constexpr size_t kChunk = 4 * kLanes;

struct Maddubs : StoredGroups {
  static constexpr Precision kPrecision = Precision::int8;
  static constexpr size_t kStep = 2;
  using Accuracy = Close;
  using Sums = Integers;
  [[gnu::always_inline]] static Sums zero() { return Sums{}; }
  [[gnu::always_inline]] static Sums load_sums(const float* sums) {
    return reinterpret_cast<Sums>(load_loose(sums));
  }
  [[gnu::always_inline]] static __m256i products(const float* x, Vector weights) {
    int group;
    __builtin_memcpy(&group, x, sizeof(group));
    return _mm256_maddubs_epi16(_mm256_set1_epi32(group), reinterpret_cast<__m256i>(weights));
  }
  [[gnu::always_inline]] static Sums accumulate(const float* x, Vector first, Vector second,
                                                Sums sums) {
    const __m256i fours = _mm256_add_epi16(products(x, first), products(x + 1, second));
    return sums + reinterpret_cast<Sums>(_mm256_madd_epi16(fours, _mm256_set1_epi16(1)));
  }
  [[gnu::always_inline]] static Vector to_float(Sums sums, const Gemm& g, size_t row, Vector scale,
                                                Vector column_sum, Vector bias) {
    return scaled_sums(sums, g, row, scale, column_sum, bias);
  }
};

// ---------------------------------------------------------------------------------- the rotation

// Eight vectors: each lane's eight numbers times a Hadamard matrix of order 8.
[[gnu::always_inline]] inline void rotate_eight(Vector (&v)[kLanes]) {
#pragma GCC unroll 4
  for (size_t stride = 1; stride < kLanes; stride *= 2)
#pragma GCC unroll 8
    for (size_t j = 0; j < kLanes; ++j) {
      if ((j & stride) != 0) continue;
      const Vector sum = v[j] + v[j + stride];
      v[j + stride] = v[j] - v[j + stride];
      v[j] = sum;
    }
}

// Also across the lanes, which come out in another order.
inline Row rotate_lanes(float* copy, size_t count) {
  RangeFinder finder;
  for (size_t block = 0; block < count; block += kLanes * kLanes) {
    Vector v[kLanes];
#pragma GCC unroll 8
    for (size_t j = 0; j < kLanes; ++j)
      v[j] = load(copy + block + j * kLanes);
    transpose(v);
    rotate_eight(v);
#pragma GCC unroll 8
    for (size_t j = 0; j < kLanes; ++j) {
      store(copy + block + j * kLanes, v[j]);
      finder.add(v[j], j);
    }
  }
  return {copy, finder.range()};
}

// The square of the factor that is left out on each side.
constexpr float kRotationFactor = 1.0f / static_cast<float>(kOrder * kLanes);

inline Row prepare_chunks(const float* row, size_t in_features, float* copy) {
  const Row prepared = prepare(row, in_features, copy);
  return rotates(in_features) ? rotate_lanes(copy, in_features) : prepared;
}

// ---------------------------------------------------------------------------------- activations

[[gnu::always_inline]] inline __m256i code(Vector x) {
  return _mm256_cvtps_epi32(minimum(maximum(x, Vector{}), broadcast(kMostCode)));
}

inline void convert_chunks(const float* x, size_t rows, size_t x_stride, size_t in_features,
                           void* converted, float* row_scale, float* row_zero) {
  alignas(64) float copy[kLongestRotated];
  auto* to = static_cast<std::uint8_t*>(converted);
  for (size_t r = 0; r < rows; ++r, x += x_stride) {
    const Row row = prepare_chunks(x, in_features, copy);
    const float width = row.range.most - row.range.least;
    const float scale = width > 0.0f ? width / kMostCode : 1.0f;
    const float zero = __builtin_rintf(-row.range.least / scale);
    row_scale[r] = scale;
    row_zero[r] = zero;
    const Vector inverse = broadcast(1.0f / scale), offset = broadcast(zero);
    for (size_t i = 0; i < in_features; i += kChunk, to += kChunk) {
      __m256i codes[4];
#pragma GCC unroll 4
      for (size_t v = 0; v < 4; ++v) {
        const size_t first = i + v * kLanes;
        const Vector numbers =
            first < in_features ? load_first(row.numbers + first, in_features - first) : Vector{};
        codes[v] = code(multiply_add(numbers, inverse, offset));
      }
      // Words of two bytes, and then pairs of words from either in turns.
      const __m256i low = _mm256_or_si256(codes[0], _mm256_slli_epi32(codes[1], 8));
      const __m256i high = _mm256_or_si256(codes[2], _mm256_slli_epi32(codes[3], 8));
      _mm256_storeu_si256(
          reinterpret_cast<__m256i*>(to),
          _mm256_shuffle_epi32(_mm256_packus_epi32(low, high), _MM_SHUFFLE(3, 1, 2, 0)));
    }
  }
}

// -------------------------------------------------------------------------------------- weights

struct Chunk {
  Vector v[4];

  [[gnu::always_inline]] Chunk(const float* row, size_t first, size_t count) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) {
      const size_t i = first + j * kLanes;
      v[j] = i < count ? load_first(row + i, count - i) : Vector{};
    }
  }
};

// Whole numbers of the four vectors that keep the bound.
[[gnu::always_inline]] inline void quantise(const Chunk& chunk, Vector inverse, Vector (&q)[4]) {
  Vector positive{}, negative{};
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; ++j) {
    q[j] = _mm256_round_ps(chunk.v[j] * inverse, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    q[j] = maximum(minimum(q[j], broadcast(127.0f)), broadcast(-127.0f));
    positive = positive + maximum(q[j], Vector{});
    negative = negative - minimum(q[j], Vector{});
  }
  const Vector one = broadcast(1.0f), most = broadcast(kMostTogether);
  const Vector shrink = minimum(one, most / maximum(positive, one));
  const Vector shrink_negative = minimum(one, most / maximum(negative, one));
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; ++j) {
    // Towards zero, so that four of them stay below the bound.
    q[j] = _mm256_round_ps(
        maximum(q[j], Vector{}) * shrink + minimum(q[j], Vector{}) * shrink_negative,
        _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  }
}

// The least scale with which no four break the bound.
inline float roomy_scale(const float* row, size_t count) {
  Vector together{}, alone{};
  for (size_t i = 0; i < count; i += kChunk) {
    const Chunk chunk(row, i, count);
    Vector positive{}, negative{};
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) {
      positive = positive + maximum(chunk.v[j], Vector{});
      negative = negative - minimum(chunk.v[j], Vector{});
      alone = maximum(alone, absolute(chunk.v[j]));
    }
    together = maximum(together, maximum(positive, negative));
  }
  const float by_four = reduce<Most>(together) / kMostTogether;
  const float by_one = reduce<Most>(alone) / 127.0f;
  const float scale = by_four > by_one ? by_four : by_one;
  return scale > 0.0f ? scale : 1.0f;
}

inline float squared_error(const float* row, size_t count, float scale) {
  Vector sum{};
  for (size_t i = 0; i < count; i += kChunk) {
    const Chunk chunk(row, i, count);
    Vector q[4];
    quantise(chunk, broadcast(1.0f / scale), q);
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) {
      const Vector error = chunk.v[j] - q[j] * broadcast(scale);
      sum = multiply_add(error, error, sum);
    }
  }
  return reduce<Sum>(sum);
}

inline float best_scale(const float* row, size_t count) {
  constexpr float kShares[] = {1.0f, 0.92f, 0.85f, 0.78f, 0.71f};
  const float roomy = roomy_scale(row, count);
  float best = roomy, least = __FLT_MAX__;
  for (const float share : kShares) {
    const float error = squared_error(row, count, roomy * share);
    if (error >= least) break;
    least = error;
    best = roomy * share;
  }
  return best;
}

// Row n of a panel.
inline void pack_row(const Row& row, size_t in_features, size_t n, std::int8_t* to,
                     float* column_scale, float* column_sum) {
  const float scale = best_scale(row.numbers, in_features);
  std::int32_t sum = 0;
  alignas(64) std::int32_t numbers[4][kLanes];
  for (size_t i = 0; i < in_features; i += kChunk) {
    Vector q[4];
    quantise(Chunk(row.numbers, i, in_features), broadcast(1.0f / scale), q);
    for (size_t j = 0; j < 4; ++j)
      _mm256_store_si256(reinterpret_cast<__m256i*>(numbers[j]), _mm256_cvtps_epi32(q[j]));
    for (size_t j = 0; j < 4; ++j)
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const size_t group = i / 4 + lane / 2 * 2 + j / 2;
        to[(group * kPanel + n) * 4 + lane % 2 * 2 + j % 2] =
            static_cast<std::int8_t>(numbers[j][lane]);
        sum += numbers[j][lane];
      }
  }
  column_scale[n] = rotates(in_features) ? scale * kRotationFactor : scale;
  column_sum[n] = static_cast<float>(sum);
}

inline void pack_panel(const float* rows, size_t count, size_t in_features, void* panel,
                       float* column_scale, float* column_sum) {
  alignas(64) float copy[kLongestRotated];
  auto* const to = static_cast<std::int8_t*>(panel);
  if (count < kPanel) __builtin_memset(to, 0, round_up(in_features, kChunk) * kPanel);
  for (size_t n = 0; n < count; ++n)
    pack_row(prepare_chunks(rows + n * in_features, in_features, copy), in_features, n, to,
             column_scale, column_sum);
  for (size_t n = count; n < kPanel; ++n)
    column_scale[n] = column_sum[n] = 0.0f;
}

constexpr Product kInt8{
    .precision = Precision::int8,
    .form = "maddubs",
    .panel_width = kPanel,
    .group_numbers = 4,
    .group_multiple = kChunk / 4,
    .pack_panel = pack_panel,
    .convert_rows = convert_chunks,
    .gemm = gemm<Maddubs>,
    .finish = finish_panels<Maddubs>,
};
