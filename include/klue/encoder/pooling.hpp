#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <klue/core/language.hpp>

namespace klue {

/// How the token vectors of a sentence become one vector.
enum class Pooling : std::uint8_t {
  automatic,  ///< what the model directory says, else mean
  pooler,     ///< tanh(W · first token + b), the TF-Hub module's pooled_output
  cls,        ///< the first token's vector
  mean,       ///< the mean over all tokens, special tokens included, padding not
  max,        ///< the largest value of each feature over the same tokens
  /// The sum over the same tokens divided by the square root of their number.
  mean_sqrt_len
};

/// All of them, in the order of a command's help.
inline constexpr Pooling kPoolings[] = {Pooling::automatic, Pooling::pooler,
                                        Pooling::cls,       Pooling::mean,
                                        Pooling::max,       Pooling::mean_sqrt_len};

/// "mean"; the spelling of the command line.
constexpr std::string_view pooling_name(Pooling pooling) {
  switch (pooling) {
    case Pooling::automatic:
      return "auto";
    case Pooling::pooler:
      return "pooler";
    case Pooling::cls:
      return "cls";
    case Pooling::mean:
      return "mean";
    case Pooling::max:
      return "max";
    case Pooling::mean_sqrt_len:
      return "mean_sqrt_len";
  }
  return "";
}

/// Divides by the Euclidean length; a zero vector stays zero.
KLUE_EXPORT void normalize(std::span<float> vector);

/// Cosine similarity, 0 where one of the vectors is zero. Throws UsageError where they differ in
/// length.
KLUE_EXPORT float cosine_similarity(std::span<const float> a, std::span<const float> b);

}  // namespace klue
