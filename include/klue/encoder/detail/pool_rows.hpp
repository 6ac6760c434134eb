#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include <klue/encoder/pooling.hpp>

namespace klue::detail {

/// Whether a pooling looks at the first token only.
constexpr bool pools_first_token(Pooling pooling) {
  return pooling == Pooling::pooler || pooling == Pooling::cls;
}

/// Any pooling of all tokens, over the rows of `hidden` ([rows of the sentence, out.size()]) that
/// `keys` lists.
inline void pool_rows(Pooling pooling, const float* hidden, std::span<const std::uint32_t> keys,
                      std::span<float> out) {
  const std::size_t size = out.size();
  std::copy_n(hidden + keys.front() * size, size, out.begin());
  for (const std::uint32_t key : keys.subspan(1)) {
    const float* const row = hidden + key * size;
    if (pooling == Pooling::max)
      for (std::size_t i = 0; i < size; ++i)
        out[i] = std::max(out[i], row[i]);
    else
      for (std::size_t i = 0; i < size; ++i)
        out[i] += row[i];
  }
  if (pooling == Pooling::max) return;
  const auto count = static_cast<float>(keys.size());
  const float divisor = pooling == Pooling::mean_sqrt_len ? std::sqrt(count) : count;
  for (float& x : out)
    x /= divisor;
}

}  // namespace klue::detail
