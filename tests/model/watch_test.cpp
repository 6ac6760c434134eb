// How a call of Model::embed can be watched and ended, and what it tells about its texts.

#include <stop_token>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue::test {
namespace {

const Model& watched_model() {
  static const Model model =
      Model::load(std::string(KLUE_FIXTURE_DIR) + "/tiny-11", {.threads = 2, .batch_tokens = 16});
  return model;
}

const std::vector<std::string> kTexts{"이 다는 사람 전 대 사람", "전", "", "\U0001F9F8 곰인형"};

TEST(EmbedReports, SayWhatBecameOfEachText) {
  std::vector<TextReport> reports;
  watched_model().embed(kTexts, {.max_length = 5, .reports = &reports});
  ASSERT_EQ(reports.size(), kTexts.size());
  const Preprocessor& preprocessor = watched_model().preprocessor();
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    SCOPED_TRACE(kTexts[i]);
    const std::size_t whole = preprocessor.encode(kTexts[i]).size();
    EXPECT_EQ(reports[i].tokens, whole);
    EXPECT_EQ(reports[i].kept, std::min<std::size_t>(whole, 5));
    EXPECT_EQ(reports[i].cut(), whole > 5);
  }
  EXPECT_TRUE(reports[0].cut());
  EXPECT_EQ(reports[0].unknown, 0u);
  EXPECT_GE(reports[3].unknown, 1u);
}

TEST(EmbedReports, OfATextThatJustFitsIsNotCut) {
  const std::size_t whole = watched_model().preprocessor().encode(kTexts[0]).size();
  std::vector<TextReport> reports;
  watched_model().embed({kTexts[0]}, {.max_length = whole, .reports = &reports});
  EXPECT_FALSE(reports[0].cut());
}

TEST(EmbedProgress, GoesFromNothingToAll) {
  std::vector<std::size_t> done;
  watched_model().embed(kTexts, {.progress = [&](std::size_t texts, std::size_t of) {
                          EXPECT_EQ(of, kTexts.size());
                          done.push_back(texts);
                        }});
  ASSERT_GE(done.size(), 3u);
  EXPECT_EQ(done.front(), 0u);
  EXPECT_EQ(done.back(), kTexts.size());
  EXPECT_TRUE(std::ranges::is_sorted(done));
}

TEST(EmbedStop, EndsACallBetweenItsParts) {
  std::stop_source stop;
  std::size_t last = 0;
  const EmbedOptions options{.stop = stop.get_token(),
                             .progress = [&](std::size_t done, std::size_t) {
                               last = done;
                               if (done > 0) stop.request_stop();
                             }};
  EXPECT_THROW(watched_model().embed(kTexts, options), StoppedError);
  EXPECT_LT(last, kTexts.size());
  EXPECT_THROW(watched_model().embed(kTexts, options), StoppedError);  // before it begins
}

TEST(EmbedWindows, AreAMeanOverAllTokens) {
  // What fits is the same to the bit.
  const EmbedOptions windows{.max_length = 6, .long_texts = LongTexts::windows};
  const Tensor found = watched_model().embed(kTexts, windows);
  const Tensor cut = watched_model().embed(kTexts, {.max_length = 6});
  EXPECT_THAT(found.at(1), testing::ElementsAreArray(cut.at(1)));
  EXPECT_THAT(found.at(0), testing::Not(testing::ElementsAreArray(cut.at(0))));

  // The long one, by hand: stride 1, for 4 tokens of text have room.
  const Encoding first = watched_model().preprocessor().encode(
      kTexts[0], std::nullopt, {.max_length = 6, .stride = 1, .return_overflowing = true});
  ASSERT_FALSE(first.overflowing.empty());
  std::vector<double> sum(found.shape()[1]);
  std::size_t tokens = 0;
  const auto add = [&](const Encoding& window) {
    EncoderInputs inputs{.batch = 1, .seq_length = window.size()};
    inputs.input_word_ids = window.ids;
    inputs.input_mask.assign(window.size(), 1);
    inputs.input_type_ids.assign(window.size(), 0);
    const EncoderOutputs out = watched_model().encoder()(inputs);
    for (std::size_t t = 0; t < window.size(); ++t)
      for (std::size_t j = 0; j < sum.size(); ++j)
        sum[j] += static_cast<double>(out.sequence_output.at(0, t)[j]);
    tokens += window.size();
  };
  add(first);
  for (const Encoding& window : first.overflowing)
    add(window);
  for (std::size_t j = 0; j < sum.size(); ++j)
    EXPECT_NEAR(found.at(0)[j], sum[j] / static_cast<double>(tokens), 1e-5);
}

TEST(EmbedWindows, AreForMeansOfSingleTexts) {
  EXPECT_THROW(
      watched_model().embed(kTexts, {.pooling = Pooling::cls, .long_texts = LongTexts::windows}),
      UsageError);
  const std::vector<TextPair> pairs{{kTexts[0], kTexts[1]}};
  EXPECT_THROW(watched_model().embed(pairs, {.long_texts = LongTexts::windows}), UsageError);
}

}  // namespace
}  // namespace klue::test
