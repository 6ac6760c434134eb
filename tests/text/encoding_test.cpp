#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>

#include "text/small_tokenizer.hpp"

namespace klue::test {
namespace {

using ::testing::ElementsAre;

std::vector<Encoding> batch() {
  const Tokenizer tokenizer = small_tokenizer({"가", "나", "다"});
  return {tokenizer.encode("가 나 다"),
          tokenizer.encode("가 나", {}, {.max_length = 3, .return_overflowing = true})};
}

TEST(PaddingTest, ToTheLongestOfTheBatch) {
  auto encodings = batch();
  pad(encodings, {.pad_id = 1});
  EXPECT_THAT(encodings[0].ids, ElementsAre(0, 5, 6, 7, 2));
  EXPECT_THAT(encodings[1].ids, ElementsAre(0, 5, 2, 1, 1));
  EXPECT_THAT(encodings[1].attention_mask, ElementsAre(1, 1, 1, 0, 0));
  EXPECT_THAT(encodings[1].special_tokens_mask, ElementsAre(1, 0, 1, 1, 1));
  EXPECT_THAT(encodings[1].word_ids, ElementsAre(-1, 0, -1, -1, -1));
  EXPECT_EQ(encodings[1].offsets[4], Offset{});
  EXPECT_THAT(encodings[1].overflowing[0].ids, ElementsAre(0, 6, 2, 1, 1));
}

TEST(PaddingTest, ToALengthAMultipleOrFromTheLeft) {
  auto encodings = batch();
  pad(encodings, {.length = 4, .pad_id = 1});
  EXPECT_EQ(encodings[0].size(), 5u);  // longer ones stay
  EXPECT_THAT(encodings[1].ids, ElementsAre(0, 5, 2, 1));
  pad(encodings, {.multiple_of = 4, .side = Side::left, .pad_id = 1, .pad_type_id = 3});
  EXPECT_THAT(encodings[0].ids, ElementsAre(1, 1, 1, 0, 5, 6, 7, 2));
  EXPECT_THAT(encodings[0].type_ids, ElementsAre(3, 3, 3, 0, 0, 0, 0, 0));
  EXPECT_EQ(encodings[1].size(), 8u);
  EXPECT_THROW(
      pad(encodings, {.length = std::numeric_limits<std::size_t>::max(), .multiple_of = 8}),
      UsageError);
}

}  // namespace
}  // namespace klue::test
