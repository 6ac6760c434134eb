// Matrices of 32-bit numbers, whatever they are.

inline void transpose_matrix(const float* from, size_t from_stride, size_t rows, size_t columns,
                             float* to, size_t to_stride) {
  for (size_t r = 0; r < rows; r += kLanes)
    for (size_t c = 0; c < columns; c += kLanes) {
      const size_t height = rows - r, width = columns - c;
      Vector block[kLanes];
#pragma GCC unroll 16
      for (size_t i = 0; i < kLanes; ++i)
        block[i] = i < height ? load_first(from + (r + i) * from_stride + c, width) : Vector{};
      transpose(block);
#pragma GCC unroll 16
      for (size_t i = 0; i < kLanes; ++i)
        if (i < width) store_first(to + (c + i) * to_stride + r, block[i], height);
    }
}
