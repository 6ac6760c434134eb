#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <klue/checkpoint/checkpoint.hpp>

namespace klue::detail {

/// PyTorch and NumPy allow no more dimensions; a file that claims more is malformed or hostile.
inline constexpr std::size_t kMaxRank = 64;

/// Bytes that a dense tensor takes; nothing where that overflows. An extent of 0 does not hide an
/// overflow of the others: the files that this project has to load have no such tensors, and code
/// that multiplies extents in another order would wrap.
inline std::optional<std::size_t> dense_bytes(std::span<const std::size_t> shape, DType dtype) {
  std::size_t bytes = dtype_size(dtype);
  bool empty = false;
  for (const std::size_t extent : shape) {
    if (extent == 0)
      empty = true;
    else if (__builtin_mul_overflow(bytes, extent, &bytes))
      return std::nullopt;
  }
  return empty ? 0 : bytes;
}

}  // namespace klue::detail
