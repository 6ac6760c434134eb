// Exact search looks at every product and keeps hardly any: it looks while they are in the
// registers, and what is not above its threshold is never in memory.

struct Either {
  [[gnu::always_inline]] static Vector of(Vector a, Vector b) {
    return reinterpret_cast<Vector>(reinterpret_cast<Bits>(a) | reinterpret_cast<Bits>(b));
  }
};

[[gnu::always_inline]] inline bool is_any_set(Bits bits) {
  const float any = reduce<Either>(reinterpret_cast<Vector>(bits));
  std::uint32_t result;
  __builtin_memcpy(&result, &any, sizeof result);
  return result != 0;
}

// One by one: `found` may raise thresholds.
[[gnu::noinline, gnu::cold]] inline void tell_above(const Search& s, size_t first_row, size_t rows,
                                                    size_t column, const float* scores) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t i = 0; i < kPanel; ++i, ++scores)
      if (*scores > s.thresholds[column + i])
        s.found(s.context, first_row + r, column + i, *scores);
}

[[gnu::always_inline]] inline const float* panel_of(const Search& s, size_t panel) {
  return static_cast<const float*>(s.panels) + panel * kPanel * s.columns;
}

template <size_t Rows>
[[gnu::noinline]] void search_block(const Search& s, size_t first_row, size_t panel, Ahead ahead) {
  const size_t column = panel * kPanel;
  Vector scores[Rows][2];
  multiply_panels<F32, Rows, 1>(s.rows + first_row * s.row_stride, s.row_stride, panel_of(s, panel),
                                s.columns, ahead, scores);
  // Or GCC, which wants registers for what follows, takes one from the loop.
#pragma GCC unroll 16
  for (size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (size_t v = 0; v < 2; ++v)
      hold(scores[r][v]);
  const Vector thresholds[2] = {load_loose(s.thresholds + column),
                                load_loose(s.thresholds + column + kLanes)};
  Bits above = {};
#pragma GCC unroll 16
  for (size_t r = 0; r < Rows; ++r) {
    const Vector scale = broadcast(s.row_scale[first_row + r]);
#pragma GCC unroll 2
    for (size_t v = 0; v < 2; ++v) {
      scores[r][v] = scores[r][v] * scale;
      above |= reinterpret_cast<Bits>(scores[r][v] > thresholds[v]);
    }
  }
  if (!is_any_set(above)) return;
  alignas(64) float told[Rows * kPanel];
  for (size_t r = 0; r < Rows; ++r)
    for (size_t v = 0; v < 2; ++v)
      store(told + (2 * r + v) * kLanes, scores[r][v]);
  tell_above(s, first_row, Rows, column, told);
}

// All rows with one panel.
struct PanelSearch {
  const Search& s;
  size_t panel, block = 0;

  template <size_t Rows>
  [[gnu::always_inline]] void run(size_t first_row) {
    search_block<Rows>(s, first_row, panel,
                       next_panel<F32>(panel_of(s, panel), s.columns, block++));
  }
};

inline void find_above(const Search& s) {
  for (size_t panel = 0; panel < s.panel_count; ++panel) {
    PanelSearch search{s, panel};
    for_row_blocks(s.row_count, search);
  }
}
