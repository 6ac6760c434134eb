#include "evaluate/ngrams.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evaluate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Ngrams, AreThoseOfWordsBetweenSpaces) {
  EXPECT_THAT(ngrams("가나"), ElementsAre(" ", "가", "나", " ", " 가", "가나", "나 "));
  EXPECT_THAT(ngrams("\t가 \n B\xC3\xA9\xE3\x80\x80"),
              ElementsAre(" ", "가", " ", " 가", "가 ", " ", "b", "é", " ", " b", "bé", "é "));
  EXPECT_THAT(ngrams(""), IsEmpty());
  EXPECT_THAT(ngrams("  "), IsEmpty());
}

TEST(Ngrams, OfWhatIsNoUtf8AreReplacements) {
  EXPECT_THAT(ngrams("\xFF"), ElementsAre(" ", "\uFFFD", " ", " \uFFFD", "\uFFFD "));
}

TEST(NgramCosines, AreOneForEqualAndZeroForForeignOrEmptySentences) {
  const std::vector<double> cosines =
      ngram_cosines({{"가 나", "가", "", ""}, {"나  가", "나", "다", ""}, {1, 2, 3, 4}});
  EXPECT_NEAR(cosines[0], 1, 1e-12);
  EXPECT_GT(cosines[1], 0);  // the spaces around words are shared
  EXPECT_LT(cosines[1], 0.5);
  EXPECT_EQ(cosines[2], 0);
  EXPECT_EQ(cosines[3], 0);
}

// Two sentences, by hand: the space is in both, twice each; the three other n-grams in one only.
TEST(NgramCosines, WeighByLogarithmsOfCountsAndRarity) {
  const double space = 1 + std::log(2.0), other = std::log(3.0 / 2.0) + 1;
  const double expected = space * space / (space * space + 3 * other * other);
  EXPECT_NEAR(ngram_cosines({{"가"}, {"나"}, {1}}).front(), expected, 1e-12);
}

}  // namespace
}  // namespace evaluate
