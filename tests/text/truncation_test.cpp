#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/text/truncation.hpp>

#include "text/names.hpp"

namespace klue {
namespace {

using Lengths = std::vector<std::size_t>;

/// All lengths 0…6 of 1…4 texts, with all budgets 0…12.
void for_all_small_cases(const std::function<void(const Lengths&, std::size_t)>& check) {
  for (std::size_t texts = 1; texts <= 4; ++texts) {
    Lengths lengths(texts, 0);
    for (bool more = true; more;) {
      for (std::size_t budget = 0; budget <= 12; ++budget)
        check(lengths, budget);
      more = false;
      for (std::size_t& length : lengths) {
        if (++length <= 6) {
          more = true;
          break;
        }
        length = 0;
      }
    }
  }
}

std::size_t sum(const Lengths& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
}

TEST(TruncationTest, RoundRobinGivesOneTokenEachInTurn) {
  for_all_small_cases([](const Lengths& lengths, std::size_t budget) {
    Lengths expected(lengths.size(), 0);
    for (std::size_t left = std::min(budget, sum(lengths)); left > 0;)
      for (std::size_t i = 0; i < lengths.size() && left > 0; ++i)
        if (expected[i] < lengths[i]) ++expected[i], --left;
    ASSERT_EQ(truncated_lengths(lengths, budget, Truncation::round_robin), expected);
  });
  EXPECT_EQ(truncated_lengths(Lengths{3, 4, 2}, 5, Truncation::round_robin), (Lengths{2, 2, 1}));
}

TEST(TruncationTest, WaterfallFillsFromTheLeft) {
  for_all_small_cases([](const Lengths& lengths, std::size_t budget) {
    Lengths expected;
    std::size_t left = budget;
    for (const std::size_t length : lengths) {
      expected.push_back(std::min(length, left));
      left -= expected.back();
    }
    ASSERT_EQ(truncated_lengths(lengths, budget, Truncation::waterfall), expected);
  });
  EXPECT_EQ(truncated_lengths(Lengths{3, 4, 2}, 5, Truncation::waterfall), (Lengths{3, 2, 0}));
}

TEST(TruncationTest, LongestFirstShortensTheLongest) {
  for_all_small_cases([](const Lengths& lengths, std::size_t budget) {
    // One token at a time from the longest; among equals from the one that was shorter at first,
    // then from the earlier one: so the odd token stays with the longer text, or the later.
    Lengths expected = lengths;
    while (sum(expected) > budget) {
      std::size_t longest = 0;
      for (std::size_t i = 1; i < lengths.size(); ++i)
        if (expected[i] > expected[longest] ||
            (expected[i] == expected[longest] && lengths[i] < lengths[longest]))
          longest = i;
      --expected[longest];
    }
    ASSERT_EQ(truncated_lengths(lengths, budget, Truncation::longest_first), expected);
  });
  EXPECT_EQ(truncated_lengths(Lengths{5, 5}, 7, Truncation::longest_first), (Lengths{3, 4}));
  EXPECT_EQ(truncated_lengths(Lengths{6, 5}, 7, Truncation::longest_first), (Lengths{4, 3}));
  EXPECT_EQ(truncated_lengths(Lengths{2, 9}, 7, Truncation::longest_first), (Lengths{2, 5}));
}

TEST(TruncationTest, OnlyOneTextIsCut) {
  EXPECT_EQ(truncated_lengths(Lengths{5, 4}, 7, Truncation::only_first), (Lengths{3, 4}));
  EXPECT_EQ(truncated_lengths(Lengths{5, 4}, 7, Truncation::only_second), (Lengths{5, 2}));
  EXPECT_EQ(truncated_lengths(Lengths{5}, 2, Truncation::only_first), (Lengths{2}));
  // As Hugging Face does: the text must keep at least one token, unless nothing at all is asked
  // for.
  EXPECT_THROW(truncated_lengths(Lengths{5, 4}, 4, Truncation::only_first), UsageError);
  EXPECT_THROW(truncated_lengths(Lengths{5, 4}, 2, Truncation::only_first), UsageError);
  EXPECT_EQ(truncated_lengths(Lengths{5, 4}, 0, Truncation::only_first), (Lengths{0, 0}));
  EXPECT_THROW(truncated_lengths(Lengths{5}, 2, Truncation::only_second), UsageError);
}

TEST(TruncationTest, ErrorSaysHowLongTheTextIs) {
  EXPECT_EQ(truncated_lengths(Lengths{5, 4}, 9, Truncation::error), (Lengths{5, 4}));
  try {
    truncated_lengths(Lengths{5, 4}, 8, Truncation::error);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_EQ(error.expected(), "at most 8 tokens");
    EXPECT_EQ(error.actual(), "9");
  }
}

TEST(TruncationTest, NamesThereAndBack) {
  for (const auto truncation :
       {Truncation::longest_first, Truncation::only_first, Truncation::only_second,
        Truncation::round_robin, Truncation::waterfall, Truncation::error})
    EXPECT_EQ(test::truncation_named(truncation_name(truncation)), truncation);
  EXPECT_EQ(truncation_name(Truncation::longest_first), "longest_first");
  EXPECT_EQ(test::truncation_named("longest"), std::nullopt);
}

}  // namespace
}  // namespace klue
