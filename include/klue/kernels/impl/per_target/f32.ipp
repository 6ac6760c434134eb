// The float32 product: weights are packed as they are, and activations need no conversion.

// panel[column × kPanel + r] = rows(r)[column]: `count` ≤ kPanel rows become the lanes of one
// panel; lanes without a row become zero.
template <class RowsOf>
[[gnu::always_inline]] inline void interleave(size_t count, size_t columns, const RowsOf& rows,
                                              float* panel) {
  for (size_t half = 0; half < kPanel; half += kLanes) {
    size_t column = 0;
    for (; column + kLanes <= columns; column += kLanes) {
      Vector block[kLanes];
#pragma GCC unroll 16
      for (size_t r = 0; r < kLanes; ++r)
        block[r] = half + r < count ? load_loose(rows(half + r) + column) : Vector{};
      transpose(block);
#pragma GCC unroll 16
      for (size_t k = 0; k < kLanes; ++k)
        store(panel + (column + k) * kPanel + half, block[k]);
    }
    for (; column < columns; ++column)
      for (size_t r = half; r < half + kLanes; ++r)
        panel[column * kPanel + r] = r < count ? rows(r)[column] : 0.0f;
  }
}

struct EvenRows {
  const float* first;
  size_t stride;
  const float* operator()(size_t r) const { return first + r * stride; }
};

inline void pack_panel_f32(const float* rows, size_t count, size_t in_features, void* panel, float*,
                           float*) {
  interleave(count, in_features, EvenRows{rows, in_features}, static_cast<float*>(panel));
}

inline void pack_columns_f32(const float* matrix, size_t row_stride, size_t in_features,
                             size_t count, void* panels) {
  auto* to = static_cast<float*>(panels);
  for (size_t k = 0; k < in_features; ++k, matrix += row_stride, to += kPanel) {
    prefetch_columns(matrix, row_stride, in_features - k, count);
    float* panel = to;
    for (size_t n = 0; n < count; n += kPanel, panel += in_features * kPanel)
      for (size_t half = 0; half < kPanel; half += kLanes)
        store(panel + half, load_columns(matrix, n + half, count));
  }
}

constexpr Product kF32{
    .precision = Precision::f32,
    .form = "",
    .panel_width = kPanel,
    .group_numbers = 1,
    .pack_panel = pack_panel_f32,
    .pack_columns = pack_columns_f32,
    .convert_rows = nullptr,
    .gemm = gemm<F32>,
    .finish = finish_panels<F32>,
};
