#include <algorithm>
#include <cmath>
#include <string>

#include <klue/core/error.hpp>
#include <klue/encoder/pooling.hpp>

namespace klue {

void normalize(std::span<float> vector) {
  double square = 0;
  for (const float x : vector)
    square += static_cast<double>(x) * static_cast<double>(x);
  // The bound of torch.nn.functional.normalize, which sentence-transformers uses.
  const double length = std::max(std::sqrt(square), 1e-12);
  for (float& x : vector)
    x = static_cast<float>(static_cast<double>(x) / length);
}

float cosine_similarity(std::span<const float> a, std::span<const float> b) {
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
