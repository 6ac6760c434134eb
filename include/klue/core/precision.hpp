#pragma once

#include <cstdint>
#include <string_view>

namespace klue {

/// How weights and activations are represented where they are multiplied. Everything else (softmax,
/// layer normalisation, GELU, residuals, sums) is float32 in all of them; GELU is exact to 3 units
/// in the last place in f32, and to 5e-6 before products that round their operands far more.
enum class Precision : std::uint8_t {
  f32,
  bf16,  ///< bfloat16 × bfloat16, summed in float32
  int8   ///< 8-bit weights, scaled per output feature; 8-bit activations, scaled per row
};

/// All of them, in the order of a command's help.
inline constexpr Precision kPrecisions[] = {Precision::f32, Precision::bf16, Precision::int8};

/// "bf16": how commands spell it.
constexpr std::string_view precision_name(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return "f32";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
  }
  return "";
}

}  // namespace klue
