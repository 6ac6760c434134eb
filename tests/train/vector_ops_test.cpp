// The float32 loops of every instruction set against the plain ones in float64. `.ci/run levels`
// runs them on each.

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <klue/train/detail/numeric.hpp>

namespace klue::detail {
namespace {

using Fast = Numeric<float>;
using Slow = PlainNumeric<double>;

class VectorOpsTest : public testing::TestWithParam<std::size_t> {
 protected:
  std::vector<float> draw(float scale = 1.0f) {
    std::vector<float> values(GetParam());
    std::normal_distribution<float> normal(0.0f, scale);
    for (float& value : values)
      value = normal(random_);
    return values;
  }
  static std::vector<double> wide(const std::vector<float>& x) { return {x.begin(), x.end()}; }
  static void expect_near(const std::vector<float>& ours, const std::vector<double>& theirs,
                          double tolerance) {
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], theirs[i], tolerance) << i;
  }
  std::mt19937 random_{5};
};

TEST_P(VectorOpsTest, Gelu) {
  const auto x = draw(3.0f);
  std::vector<float> y(x.size());
  std::vector<double> expected(x.size());
  Fast::gelu(x.data(), y.data(), x.size());
  Slow::gelu(wide(x).data(), expected.data(), x.size());
  expect_near(y, expected, 2e-6);
}

TEST_P(VectorOpsTest, GeluBackward) {
  const auto x = draw(3.0f);
  auto dy = draw();
  auto expected = wide(dy);
  Slow::gelu_backward(wide(x).data(), expected.data(), x.size());
  Fast::gelu_backward(x.data(), dy.data(), x.size());
  expect_near(dy, expected, 4e-6);
}

TEST_P(VectorOpsTest, Softmax) {
  auto x = draw(8.0f);
  auto expected = wide(x);
  const double sum = Slow::softmax(expected.data(), x.size(), 0.3);
  EXPECT_NEAR(Fast::softmax(x.data(), x.size(), 0.3f), sum, 2e-6 * std::abs(sum) + 1e-6);
  expect_near(x, expected, 1e-6);
  auto dp = draw();
  auto slope = wide(dp);
  Slow::softmax_backward(expected.data(), slope.data(), x.size(), 0.3);
  Fast::softmax_backward(x.data(), dp.data(), x.size(), 0.3f);
  expect_near(dp, slope, 2e-6);
}

TEST_P(VectorOpsTest, LayerNorm) {
  const auto x = draw(2.0f), gamma = draw(), beta = draw(), dy = draw();
  const std::size_t n = x.size();
  std::vector<float> normal(n), y(n), dx(n), dgamma(n, 1.0f), dbeta(n, 2.0f);
  std::vector<double> normal2(n), y2(n), dx2(n), dgamma2(n, 1.0), dbeta2(n, 2.0);
  const float inverse =
      Fast::layer_norm(x.data(), n, gamma.data(), beta.data(), 1e-5f, normal.data(), y.data());
  const double inverse2 = Slow::layer_norm(wide(x).data(), n, wide(gamma).data(), wide(beta).data(),
                                           1e-5, normal2.data(), y2.data());
  EXPECT_NEAR(inverse, inverse2, 1e-5 * inverse2);
  expect_near(y, y2, 1e-5);
  Fast::layer_norm_backward(dy.data(), normal.data(), inverse, gamma.data(), n, dx.data(),
                            dgamma.data(), dbeta.data());
  Slow::layer_norm_backward(wide(dy).data(), normal2.data(), inverse2, wide(gamma).data(), n,
                            dx2.data(), dgamma2.data(), dbeta2.data());
  expect_near(dx, dx2, 1e-5 * std::max(1.0, inverse2));
  expect_near(dgamma, dgamma2, 1e-5);
  expect_near(dbeta, dbeta2, 1e-6);
}

TEST_P(VectorOpsTest, SumsAndAdditions) {
  const auto x = draw();
  auto y = draw();
  auto expected = wide(y);
  EXPECT_NEAR(Fast::sum_of_squares(x.data(), x.size()),
              Slow::sum_of_squares(wide(x).data(), x.size()), 1e-5 * static_cast<double>(x.size()));
  Fast::add(x.data(), y.data(), x.size());
  Slow::add(wide(x).data(), expected.data(), x.size());
  Fast::add_scaled(0.5f, x.data(), y.data(), x.size());
  Slow::add_scaled(0.5, wide(x).data(), expected.data(), x.size());
  expect_near(y, expected, 1e-6);
}

// The same numbers, whatever the vectors' width.
TEST_P(VectorOpsTest, DropoutIsTheSameEverywhere) {
  auto x = draw();
  auto y = x;
  const std::uint32_t threshold = 429496729;
  Fast::dropout(x.data(), x.size(), 0x123456789abcdef0u, threshold, 1.25f);
  PlainNumeric<float>::dropout(y.data(), y.size(), 0x123456789abcdef0u, threshold, 1.25f);
  EXPECT_EQ(x, y);
}

TEST_P(VectorOpsTest, AdamW) {
  auto p = draw(), m = draw(0.1f), v = draw(0.1f);
  const auto g = draw();
  for (float& x : v)
    x *= x;
  auto p2 = wide(p), m2 = wide(m), v2 = wide(v);
  const AdamWConstants c{0.7, 0.999, 0.9, 0.999, 1e-2, 1.5, 1e-8};
  Fast::adamw(p.data(), g.data(), m.data(), v.data(), p.size(), c);
  Slow::adamw(p2.data(), wide(g).data(), m2.data(), v2.data(), p.size(), c);
  expect_near(p, p2, 1e-5);
  expect_near(m, m2, 1e-6);
  expect_near(v, v2, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Sizes, VectorOpsTest,
                         testing::Values(1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 64, 100, 768,
                                         1000));

TEST(Dropout, DropsTheRightPart) {
  std::vector<float> x(100000, 1.0f);
  std::size_t dropped = 0, both = 0, before = 1;
  for (std::uint64_t row = 0; row < 10; ++row) {
    std::fill(x.begin(), x.end(), 1.0f);
    Fast::dropout(x.data(), x.size(), mix(77, row), 429496730, 1.0f);
    for (const float value : x) {
      dropped += value == 0.0f;
      both += value == 0.0f && before == 0;
      before = value == 0.0f ? 0 : 1;
    }
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 1e6, 0.1, 0.0015);
  EXPECT_NEAR(static_cast<double>(both) / 1e6, 0.01, 0.0005);
}

}  // namespace
}  // namespace klue::detail
