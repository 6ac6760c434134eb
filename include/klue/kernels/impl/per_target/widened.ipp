// Products of processors without an instruction for them: the weights are small in memory and
// become float32 in the registers, once for all rows of a block. Activations are multiplied as they
// are. Needs round_bf16.ipp.

// Weights of a lower precision as they lie in memory, one number per group.
template <class Number>
struct StoredNumbers {
  using Stored = Number;
  static constexpr size_t kStep = 1;
  static constexpr bool kMultipliesMatrices = false;
  using Accuracy = Close;
  using Sums = Vector;

  [[gnu::always_inline]] static Sums zero() { return Vector{}; }
  [[gnu::always_inline]] static Sums load_sums(const float* sums) { return load_loose(sums); }
  [[gnu::always_inline]] static Sums accumulate(const float* x, Vector weights, Sums sums) {
    return multiply_add(broadcast(*x), weights, sums);
  }
};

// Features n and n + kLanes of a panel lie together in 32 bits: half of a float32 is the number.
struct WidenedBf16 : StoredNumbers<std::uint16_t> {
  static constexpr Precision kPrecision = Precision::bf16;
  [[gnu::always_inline]] static Vector load_weights(const Stored* row, size_t half) {
    const Bits pairs = *reinterpret_cast<const Bits*>(row);
    return reinterpret_cast<Vector>(half == 0 ? pairs << 16 : pairs & (Bits{} + 0xffff0000u));
  }
  static size_t place(size_t feature) { return feature % kLanes * 2 + feature / kLanes; }
};

struct WidenedInt8 : StoredNumbers<std::int8_t> {
  static constexpr Precision kPrecision = Precision::int8;
  typedef Stored Numbers __attribute__((vector_size(kLanes), aligned(1), may_alias));
  [[gnu::always_inline]] static Vector load_weights(const Stored* row, size_t half) {
    const Numbers numbers = *reinterpret_cast<const Numbers*>(row + half * kLanes);
    return __builtin_convertvector(__builtin_convertvector(numbers, Integers), Vector);
  }
  [[gnu::always_inline]] static Vector to_float(Sums sums, const Gemm&, size_t, Vector scale,
                                                Vector, Vector bias) {
    return multiply_add(sums, scale, bias);
  }
};

inline void pack_widened_bf16(const float* rows, size_t count, size_t in_features, void* panel,
                              float*, float*) {
  auto* const to = static_cast<std::uint16_t*>(panel);
  for (size_t n = 0; n < kPanel; ++n)
    for (size_t k = 0; k < in_features; ++k)
      to[k * kPanel + WidenedBf16::place(n)] =
          n < count ? round_to_bf16(rows[n * in_features + k]) : std::uint16_t{0};
}

// Symmetric, one scale per output feature. Without rounded activations there is nothing to rotate
// for.
inline void pack_widened_int8(const float* rows, size_t count, size_t in_features, void* panel,
                              float* column_scale, float* column_sum) {
  auto* const to = static_cast<std::int8_t*>(panel);
  for (size_t n = 0; n < kPanel; ++n) {
    const float* const row = rows + n * in_features;
    float largest = 0.0f;
    for (size_t k = 0; n < count && k < in_features; ++k)
      largest = __builtin_fabsf(row[k]) > largest ? __builtin_fabsf(row[k]) : largest;
    const float scale = largest > 0.0f ? largest / 127.0f : 1.0f;
    for (size_t k = 0; k < in_features; ++k)
      to[k * kPanel + n] =
          n < count ? static_cast<std::int8_t>(__builtin_rintf(row[k] / scale)) : std::int8_t{0};
    column_scale[n] = scale;
    column_sum[n] = 0.0f;
  }
}

constexpr Product kWidenedBf16{
    .precision = Precision::bf16,
    .form = "float32 products",
    .panel_width = kPanel,
    .group_numbers = 1,
    .weight_bytes = sizeof(WidenedBf16::Stored),
    .plain_groups = false,
    .pack_panel = pack_widened_bf16,
    .convert_rows = nullptr,
    .gemm = gemm<WidenedBf16>,
    .finish = finish_panels<WidenedBf16>,
};

constexpr Product kWidenedInt8{
    .precision = Precision::int8,
    .form = "float32 products",
    .panel_width = kPanel,
    .group_numbers = 1,
    .weight_bytes = sizeof(WidenedInt8::Stored),
    .plain_groups = false,
    .pack_panel = pack_widened_int8,
    .convert_rows = nullptr,
    .gemm = gemm<WidenedInt8>,
    .finish = finish_panels<WidenedInt8>,
};
