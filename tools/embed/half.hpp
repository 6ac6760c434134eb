#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace embed {

/// The nearest number of half precision (IEEE 754 binary16), ties to even; beyond 65,504 infinity.
inline std::uint16_t half_of(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u);   // NaN
  if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);  // rounds to ∞
  std::uint32_t half;
  if (magnitude < 0x38800000u) {
    // Below the normal numbers: adding 0.5 puts the bits that remain at the end of the fraction,
    // rounded by the addition itself.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    half = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5f);
  } else {
    const std::uint32_t odd = magnitude >> 13 & 1u;
    half = (magnitude - (112u << 23) + 0xFFFu + odd) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

inline void to_half(std::span<const float> values, char* out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = half_of(values[i]);
    std::memcpy(out + 2 * i, &half, 2);
  }
}

}  // namespace embed
