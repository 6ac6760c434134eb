// The operation of an instruction that adds four 8-bit products of one output feature to its sum.
// The files beside this folder that include it define
//   add_products(sums, x, w)     sums + x · w for four numbers x and groups of four (s8) w

struct Int8 : StoredGroups {
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
  [[gnu::always_inline]] static Vector to_float(Sums sums, const Gemm& g, size_t row, Vector scale,
                                                Vector column_sum, Vector bias) {
    return scaled_sums(sums, g, row, scale, column_sum, bias);
  }
};
