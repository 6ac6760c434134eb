#pragma once

#include <cstdint>
#include <string_view>

namespace klue {

/// How weights and activations are represented where they are multiplied. Everything else (softmax,
/// layer normalisation, GELU, residuals, sums) is float32 in all of them; GELU is exact to 3 units
/// in the last place in f32, and to 5e-6 before products that round their operands far more.
enum class Precision : std::uint8_t {
  f32,
  /// bfloat16 × bfloat16, summed in float32. Where the processor has no instruction for that, the
  /// weights alone are bfloat16.
  bf16,
  /// 8-bit weights, scaled per output feature; 8-bit activations, scaled per row. Where the
  /// processor has no instruction for that, the weights alone have 8 bits.
  int8,
  /// The fastest of these on this processor and engine whose vectors stay as close to float32's as
  /// docs/accuracy.md promises of int8: mean centred cosine and correlation of similarities ≥ 0.99.
  automatic
};

/// Those that there are products of, in the order of a command's help.
inline constexpr Precision kPrecisions[] = {Precision::f32, Precision::bf16, Precision::int8};

/// All that a caller may ask for.
inline constexpr Precision kPrecisionChoices[] = {Precision::f32, Precision::bf16, Precision::int8,
                                                  Precision::automatic};

/// "bf16": how commands spell it.
constexpr std::string_view precision_name(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return "f32";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
    case Precision::automatic:
      return "auto";
  }
  return "";
}

}  // namespace klue
