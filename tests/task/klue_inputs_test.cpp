#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/task/klue_inputs.hpp>

#include "text/small_tokenizer.hpp"

namespace klue::baseline {
namespace {

using testing::ElementsAre;

// A text of so many tokens.
std::string tokens(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text.append(i == 0 ? "가" : " 가");
  return text;
}

// How many tokens of texts of a and b tokens stay where there is room for c.
std::pair<std::size_t, std::size_t> kept(std::size_t a, std::size_t b, std::size_t c) {
  const Tokenizer tokenizer = test::small_tokenizer({"가"});
  const ModelInput input = text_input(tokenizer, tokens(a), tokens(b), c + 3);
  const std::size_t second = input.second_segment.value_or(0);
  return {second - 2, input.ids.size() - second - 1};
}

TEST(TextInput, StandsBetweenTheSpecialTokens) {
  const Tokenizer tokenizer = test::small_tokenizer({"가", "나"});
  EXPECT_THAT(text_input(tokenizer, "가 나").ids, ElementsAre(0, 5, 6, 2));
  EXPECT_FALSE(text_input(tokenizer, "가 나").second_segment);
  const ModelInput pair = text_input(tokenizer, "가", "나");
  EXPECT_THAT(pair.ids, ElementsAre(0, 5, 2, 6, 2));
  EXPECT_EQ(pair.second_segment, 3u);
  EXPECT_THAT(text_input(tokenizer, "", "").ids, ElementsAre(0, 2, 2));
  EXPECT_EQ(text_input(tokenizer, tokens(200)).ids.size(), 128u);
}

TEST(TextInput, CutsPairsAsThePythonTokenizerDoes) {
  using Lengths = std::pair<std::size_t, std::size_t>;
  EXPECT_EQ(kept(10, 10, 15), (Lengths{8, 7}));
  EXPECT_EQ(kept(10, 10, 13), (Lengths{7, 6}));
  EXPECT_EQ(kept(9, 12, 15), (Lengths{8, 7}));
  EXPECT_EQ(kept(12, 9, 15), (Lengths{8, 7}));
  EXPECT_EQ(kept(10, 11, 17), (Lengths{9, 8}));
  EXPECT_EQ(kept(20, 3, 9), (Lengths{6, 3}));
}

TEST(TextInput, NeedsRoom) {
  const Tokenizer tokenizer = test::small_tokenizer({"가"});
  EXPECT_THROW(text_input(tokenizer, "가", std::nullopt, 1), UsageError);
  EXPECT_THROW(text_input(tokenizer, "가", "가", 2), UsageError);
}

TEST(BestLabel, IsTheFirstOfTheGreatest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(best_label(std::vector<float>{1, 3, 3}), 1u);
  EXPECT_EQ(best_label(std::vector<float>{-infinity, -infinity}), 0u);
  EXPECT_EQ(best_label(std::vector<float>{infinity, nan, nan}), 1u);
}

TEST(Softmax, SumsToOne) {
  const std::vector<float> shares = softmax(std::vector<float>{1000, 1000, -1000});
  EXPECT_THAT(shares, ElementsAre(0.5f, 0.5f, 0.0f));
  EXPECT_TRUE(softmax({}).empty());
}

TEST(LabelNames, AreKlues) {
  EXPECT_EQ(label_names(Benchmark::ynat).size(), 7u);
  EXPECT_EQ(label_names(Benchmark::ynat)[5], "IT과학");
  EXPECT_EQ(label_names(Benchmark::nli)[1], "contradiction");
  EXPECT_EQ(label_names(Benchmark::ner).back(), "O");
  EXPECT_EQ(label_names(Benchmark::re).size(), 30u);
  EXPECT_TRUE(label_names(Benchmark::mrc).empty());
  EXPECT_EQ(benchmark_name(Benchmark::mrc), "mrc");
}

}  // namespace
}  // namespace klue::baseline
