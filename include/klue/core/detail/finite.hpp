#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace klue::detail {

/// Whether no value is infinite or NaN. By their bits: compiled with -ffast-math, as a program that
/// has the library as headers may be, std::isfinite says yes to everything.
inline bool all_finite(std::span<const float> values) noexcept {
  constexpr std::uint32_t kExponent = 0x7F80'0000;
  std::uint32_t wrong = 0;
  for (const float value : values)
    wrong |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1u : 0u;
  return wrong == 0;
}

}  // namespace klue::detail
