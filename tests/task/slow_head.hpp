#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>

/// Heads by their definition, in float64, on the encoder's own outputs.
namespace klue::test {

using Vector = std::vector<double>;

inline Vector as_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

inline Vector read_vector(const Checkpoint& checkpoint, const std::string& name) {
  const TensorView& view = *checkpoint.find(name);
  std::vector<float> values(view.element_count());
  view.read(0, values);
  return as_double(values);
}

/// W · x + b.
inline Vector linear(const Vector& weight, const Vector& bias, const Vector& x) {
  Vector y = bias;
  for (std::size_t out = 0; out < y.size(); ++out)
    for (std::size_t in = 0; in < x.size(); ++in)
      y[out] += weight[out * x.size() + in] * x[in];
  return y;
}

inline Vector linear(const Checkpoint& checkpoint, const std::string& name, const Vector& x) {
  return linear(read_vector(checkpoint, name + ".weight"), read_vector(checkpoint, name + ".bias"),
                x);
}

inline void expect_near(std::span<const float> ours, const Vector& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_NEAR(static_cast<double>(ours[i]), theirs[i], 2e-5);
}

}  // namespace klue::test
