#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <klue/core/error.hpp>

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
inline void normalize(std::span<float> vector) {
  double square = 0;
  for (const float x : vector)
    square += static_cast<double>(x) * static_cast<double>(x);
  // The bound of torch.nn.functional.normalize, which sentence-transformers uses.
  const double length = std::max(std::sqrt(square), 1e-12);
  for (float& x : vector)
    x = static_cast<float>(static_cast<double>(x) / length);
}

/// Cosine similarity, 0 where one of the vectors is zero. Throws UsageError where they differ in
/// length.
inline float cosine_similarity(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size())
    throw UsageError(
        "vectors of different lengths have no cosine",
        {.expected = std::to_string(a.size()) + " numbers", .actual = std::to_string(b.size())});
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa == 0 || bb == 0 ? 0.0f : static_cast<float>(dot / std::sqrt(aa * bb));
}

}  // namespace klue
