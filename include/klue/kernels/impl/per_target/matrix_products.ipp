// The operation of an instruction that multiplies two rows of x with two output features at once, 8
// bytes of each: a 2 × 2 matrix of sums. Arm's smmla and bfmmla. The files beside this folder that
// include it define, for a Kind of numbers,
//   Kind::Sums, Kind::kPrecision
//   Kind::multiply(sums, x, w)   sums + x · wᵀ, of which all are 16 bytes
//
// A panel is [step, kPanel] times 8 bytes, so that a vector is two output features.

template <class Kind>
struct MatrixProducts : StoredGroups, Kind {
  static constexpr size_t kStep = 2;
  static constexpr bool kMultipliesMatrices = true;
  using Accuracy = Close;
  using Sums = typename Kind::Sums;
  typedef std::uint64_t TwoRows __attribute__((vector_size(16), may_alias));

  [[gnu::always_inline]] static Sums load_sums(const float* sums) {
    return reinterpret_cast<Sums>(load_loose(sums));
  }
  [[gnu::always_inline]] static std::uint64_t eight_bytes(const float* from) {
    std::uint64_t bytes;
    __builtin_memcpy(&bytes, from, sizeof(bytes));
    return bytes;
  }

  // As multiply_panels of product.ipp. An odd row is multiplied twice.
  template <size_t Rows, size_t Panels>
  [[gnu::always_inline]] static void multiply(const float* x, size_t x_stride, const float* panels,
                                              size_t groups, Ahead ahead,
                                              Sums (&sums)[Rows][2 * Panels]) {
    constexpr size_t kPairs = (Rows + 1) / 2, kWide = Panels * kPanel / 2;
    const char* first_ahead = static_cast<const char*>(ahead.first);
    const char* second_ahead = static_cast<const char*>(ahead.second);
    Sums inner[kPairs][kWide];
#pragma GCC unroll 16
    for (size_t p = 0; p < kPairs; ++p)
#pragma GCC unroll 16
      for (size_t v = 0; v < kWide; ++v)
        inner[p][v] = Sums{};
    for (size_t k = 0; k < groups; k += kStep, x += kStep, panels += kStep * kPanel) {
      prefetch<ahead_bytes<MatrixProducts>(Panels)>(first_ahead, second_ahead);
      first_ahead += ahead.step;
      second_ahead += ahead.step;
      Vector weights[kWide];
#pragma GCC unroll 16
      for (size_t v = 0; v < kWide; ++v)
        weights[v] = load(panels + v / (kPanel / 2) * groups * kPanel + v % (kPanel / 2) * kLanes);
#pragma GCC unroll 16
      for (size_t p = 0; p < kPairs; ++p) {
        const float* const row = x + 2 * p * x_stride;
        const TwoRows two{eight_bytes(row), eight_bytes(2 * p + 1 < Rows ? row + x_stride : row)};
#pragma GCC unroll 16
        for (size_t v = 0; v < kWide; ++v)
          inner[p][v] = Kind::multiply(inner[p][v], reinterpret_cast<Vector>(two), weights[v]);
      }
    }
    // From 2 × 2 to rows.
#pragma GCC unroll 16
    for (size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 16
      for (size_t v = 0; v < 2 * Panels; ++v) {
        const Sums left = inner[r / 2][2 * v], right = inner[r / 2][2 * v + 1];
        sums[r][v] = r % 2 == 0 ? __builtin_shufflevector(left, right, 0, 1, 4, 5)
                                : __builtin_shufflevector(left, right, 2, 3, 6, 7);
      }
  }
};
