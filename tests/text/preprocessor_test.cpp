#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/text/preprocessor.hpp>

#include "text/random_text.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

Preprocessor small_preprocessor(std::size_t types = 1, Dialect dialect = Dialect::huggingface,
                                std::shared_ptr<const ThreadPool> pool = nullptr) {
  return Preprocessor(small_tokenizer({"가", "나", "다"}, dialect), types, std::move(pool));
}

TEST(PreprocessorTest, TheTwoSteps) {
  const Preprocessor preprocessor = small_preprocessor();
  const std::vector<std::string> premises = {"가 나", "다"}, hypotheses = {"나", "다 다"};
  const auto tokens = preprocessor.tokenize(premises), more = preprocessor.tokenize(hypotheses);
  const EncoderInputs packed = preprocessor.bert_pack_inputs({tokens, more}, 8);
  EXPECT_EQ(packed.batch, 2u);
  EXPECT_EQ(packed.seq_length, 8u);
  EXPECT_THAT(packed.word_ids(0), ElementsAre(0, 5, 6, 2, 6, 2, 1, 1));
  EXPECT_THAT(packed.mask(0), ElementsAre(1, 1, 1, 1, 1, 1, 0, 0));
  EXPECT_THAT(packed.word_ids(1), ElementsAre(0, 7, 2, 7, 7, 2, 1, 1));
  EXPECT_THAT(packed.input_type_ids, Each(0));
  EXPECT_EQ(preprocessor.bert_pack_inputs({tokens}).seq_length, 128u);
}

TEST(PreprocessorTest, RowsThatNoMemoryHolds) {
  const Preprocessor preprocessor = small_preprocessor();
  const auto tokens = preprocessor.tokenize({"가", "나"});
  for (const int shift : {61, 63})
    EXPECT_THROW(preprocessor.bert_pack_inputs({tokens}, std::size_t{1} << shift), UsageError);
}

TEST(PreprocessorTest, LiteralsAndTemporaries) {
  const Preprocessor preprocessor = small_preprocessor();
  EXPECT_EQ(preprocessor.tokenize({"가 나", "다"}).size(), 2u);
  EXPECT_EQ(preprocessor.tokenize({"가 나"}).size(), 1u);
  const auto packed = preprocessor.bert_pack_inputs(
      {preprocessor.tokenize({"가"}), preprocessor.tokenize({"나"}), preprocessor.tokenize({"다"})},
      8);
  EXPECT_THAT(packed.word_ids(0), ElementsAre(0, 5, 2, 6, 2, 7, 2, 1));
}

TEST(PreprocessorTest, TypesAsTheEncoderHasThem) {
  const auto types = [](const Preprocessor& preprocessor) {
    const auto a = preprocessor.tokenize({"가"}), b = preprocessor.tokenize({"나"});
    return preprocessor.bert_pack_inputs({a, b, a}, 8).input_type_ids;
  };
  EXPECT_THAT(types(small_preprocessor(1)), Each(0));
  EXPECT_THAT(types(small_preprocessor(2)), ElementsAre(0, 0, 0, 1, 1, 1, 1, 0));
  EXPECT_THAT(types(small_preprocessor(2, Dialect::tensorflow)), Each(0));
  EXPECT_THROW(small_preprocessor(0), UsageError);
}

TEST(PreprocessorTest, CutsAsAsked) {
  const Preprocessor preprocessor = small_preprocessor();
  const auto a = preprocessor.tokenize({"가 가 가 가"}), b = preprocessor.tokenize({"나 나"});
  const auto packed = [&](Truncation truncation) {
    return preprocessor.bert_pack_inputs({a, b}, 6, truncation).input_word_ids;
  };
  EXPECT_THAT(packed(Truncation::round_robin), ElementsAre(0, 5, 5, 2, 6, 2));
  EXPECT_THAT(packed(Truncation::waterfall), ElementsAre(0, 5, 5, 5, 2, 2));
  EXPECT_THAT(packed(Truncation::only_first), ElementsAre(0, 5, 2, 6, 6, 2));
  EXPECT_THROW(packed(Truncation::error), UsageError);
}

TEST(PreprocessorTest, WhatCannotBePacked) {
  const Preprocessor preprocessor = small_preprocessor();
  const auto one = preprocessor.tokenize({"가"}), two = preprocessor.tokenize({"가", "나"});
  EXPECT_THROW(preprocessor.bert_pack_inputs({one, two}, 8), UsageError);
  EXPECT_THROW(preprocessor.bert_pack_inputs({one}, 1), UsageError);
  EXPECT_THROW(preprocessor.bert_pack_inputs({one, one}, 2), UsageError);
  EXPECT_THROW(preprocessor.bert_pack_inputs(std::span<const std::span<const Tokens>>()),
               UsageError);
  EXPECT_THAT(preprocessor.bert_pack_inputs({one}, 2).input_word_ids, ElementsAre(0, 2));
  EXPECT_EQ(preprocessor.bert_pack_inputs({std::vector<Tokens>()}, 8).batch, 0u);
}

TEST(PreprocessorTest, ThreadsChangeNothing) {
  const Preprocessor alone = small_preprocessor();
  const Preprocessor many =
      small_preprocessor(1, Dialect::huggingface, std::make_shared<const ThreadPool>(4));
  Random random(7);
  std::vector<std::string> texts;
  for (int i = 0; i < 1'000; ++i)
    texts.push_back(random_text(random, {"가", "나"}));
  EXPECT_THAT(many.tokenize(texts), ElementsAreArray(alone.tokenize(texts)));
}

}  // namespace
}  // namespace klue::test
