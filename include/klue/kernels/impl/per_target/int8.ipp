// The 8-bit product of processors that have an instruction for it. Needs rotation.ipp. The files
// beside this folder that include it define
//   kForm                        as Product has it
//   kTogether                    how many numbers of an output feature lie together in a panel
//   kLeastCode                   of activations: 0, or −128 where the instruction wants a sign
//   store_codes(p, vector)       the nearest whole numbers, saturated to kLeastCode … + 255, a byte
//                                each
//   store_rounded(p, vector)     the nearest whole numbers, int32; p is aligned to a vector
//   Int8                         the operation, which dot_int8.ipp makes of an instruction for four
//                                products of one output feature

inline void convert_rows(const float* x, size_t rows, size_t x_stride, size_t in_features,
                         void* converted, float* row_scale, float* row_zero) {
  alignas(64) float copy[kLongestRotated];
  const size_t row_numbers = round_up(in_features, kTogether);
  auto* to = static_cast<std::uint8_t*>(converted);
  for (size_t r = 0; r < rows; ++r, x += x_stride, to += row_numbers) {
    const Row row = prepare(x, in_features, copy);
    const float width = row.range.most - row.range.least;
    const float scale = width > 0.0f ? width / 255.0f : 1.0f;
    const float zero = __builtin_rintf(-row.range.least / scale) + kLeastCode;
    row_scale[r] = scale;
    row_zero[r] = zero;
    const Vector inverse = broadcast(1.0f / scale), offset = broadcast(zero);
    for (size_t i = 0; i < in_features; i += kLanes) {
      // To the nearest; rounding may reach one more on either side, which saturates.
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
  const size_t row_numbers = round_up(in_features, kTogether);
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
        to[((i + j) / kTogether * kPanel + n) * kTogether + (i + j) % kTogether] =
            static_cast<std::int8_t>(numbers[j]);
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
    .form = kForm,
    .panel_width = kPanel,
    .group_numbers = 4,
    .group_multiple = kTogether / 4,
    .plain_groups = kTogether == 4 && kLeastCode == 0.0f,
    .pack_panel = pack_panel,
    .convert_rows = convert_rows,
    .gemm = gemm<Int8>,
    .finish = finish_panels<Int8>,
};
