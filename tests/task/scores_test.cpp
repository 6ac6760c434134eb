#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/task/detail/scores.hpp>

namespace klue::detail {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Scores, SoftmaxSumsToOneWhateverTheSize) {
  const std::vector<float> logits{1000, 1001, -1000};
  EXPECT_THAT(softmax(logits), ElementsAre(DoubleNear(1 / (1 + std::exp(1.0)), 1e-12),
                                           DoubleNear(1 / (1 + std::exp(-1.0)), 1e-12), 0.0));
}

TEST(Scores, OneNanMakesASoftmaxNothingElse) {
  for (const double x : softmax(std::vector<float>{1, kNan, 3}))
    EXPECT_TRUE(std::isnan(x));
}

TEST(Scores, Functions) {
  const std::vector<float> logits{0, 2};
  EXPECT_THAT(scores_of(logits, ScoreFunction::none), ElementsAre(0.0, 2.0));
  EXPECT_THAT(scores_of(logits, ScoreFunction::sigmoid),
              ElementsAre(0.5, DoubleNear(1 / (1 + std::exp(-2.0)), 1e-12)));
  EXPECT_THAT(scores_of(logits, ScoreFunction::softmax),
              ElementsAre(DoubleNear(1 / (1 + std::exp(2.0)), 1e-12),
                          DoubleNear(1 / (1 + std::exp(-2.0)), 1e-12)));
}

// numpy.argmax.
TEST(Scores, TheFirstOfTheLargestAndBeforeItTheFirstNan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(first_largest(std::vector<double>{1, 3, 3, 2}), 1u);
  EXPECT_EQ(first_largest(std::vector<double>{1, 3, nan, nan}), 2u);
  EXPECT_EQ(first_largest(std::vector<double>{nan, 3}), 0u);
}

TEST(Scores, BestFirstKeepsTheOrderOfEquals) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values{0.5, 0.9, nan, 0.5, 0.1};
  EXPECT_THAT(best_first(values, 9), ElementsAre(1, 0, 3, 4, 2));
  EXPECT_THAT(best_first(values, 2), ElementsAre(1, 0));
  EXPECT_THAT(best_first(values, 0), IsEmpty());
}

}  // namespace
}  // namespace klue::detail
