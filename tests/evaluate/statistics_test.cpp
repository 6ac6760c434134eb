#include "evaluate/statistics.hpp"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evaluate {
namespace {

using testing::ElementsAre;
using Values = std::vector<double>;

// The definition, slowly: one more than how many are smaller, and half of the other equal ones.
double slow_rank(const Values& values, std::size_t i) {
  double rank = 1;
  for (std::size_t j = 0; j < values.size(); ++j)
    if (j != i) rank += values[j] < values[i] ? 1 : values[j] == values[i] ? 0.5 : 0;
  return rank;
}

TEST(Ranks, EqualValuesShareTheMeanOfTheirRanks) {
  EXPECT_THAT(ranks(Values{0.5, 3, -1}), ElementsAre(2, 3, 1));
  EXPECT_THAT(ranks(Values{7, 5, 7, 7}), ElementsAre(3, 1, 3, 3));
  EXPECT_THAT(ranks(Values{2, 1, 2, 1}), ElementsAre(3.5, 1.5, 3.5, 1.5));
  EXPECT_TRUE(ranks({}).empty());
}

TEST(Ranks, AreThoseOfTheDefinition) {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    Values values(1 + random() % 40);
    for (double& value : values)
      value = static_cast<double>(random() % 12);
    const Values found = ranks(values);
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(found[i], slow_rank(values, i));
  }
}

TEST(Correlation, OfWhatGoesTogetherIsOne) {
  const Values x{1, 2, 3, 4}, straight{10, 20, 30, 40}, bent{1, 10, 100, 1000}, falling{4, 3, 2, 1};
  EXPECT_DOUBLE_EQ(pearson(x, straight), 1);
  EXPECT_LT(pearson(x, bent), 0.9);
  EXPECT_DOUBLE_EQ(spearman(x, bent), 1);
  EXPECT_DOUBLE_EQ(spearman(x, falling), -1);
}

// From numpy.corrcoef, of the lists and of their ranks.
TEST(Correlation, IsNumpys) {
  const Values x{0.1, 0.4, 0.4, 0.9, 0.3, 0.8}, y{0, 2.5, 1, 5, 2.5, 3};
  EXPECT_NEAR(pearson(x, y), 0.8663081574494617, 1e-12);
  EXPECT_NEAR(spearman(x, y), 0.8676470588235294, 1e-12);
}

TEST(Correlation, IsNotDefinedWithoutVariation) {
  EXPECT_TRUE(std::isnan(pearson(Values{1, 1, 1}, Values{1, 2, 3})));
  EXPECT_TRUE(std::isnan(spearman(Values{1, 2, 3}, Values{4, 4, 4})));
  EXPECT_TRUE(std::isnan(spearman(Values{1}, Values{1})));
  EXPECT_TRUE(std::isnan(pearson({}, {})));
}

}  // namespace
}  // namespace evaluate
