// The rules by which logits become answers, against the definition and by hand.

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/task/detail/spans.hpp>

#include "text/small_tokenizer.hpp"

namespace klue::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Tokenizer& tokenizer() {
  static const Tokenizer value =
      test::small_tokenizer({"왕", "##이", "서울", "##에", "##서", "살았다", "Ab", "aB", ".", "?"});
  return value;
}

std::vector<float> random_logits(std::size_t tokens, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> logits(2 * tokens);
  std::ranges::generate(logits, [&] { return normal(random); });
  return logits;
}

// decode_spans as it is written: all pairs in a table, sorted.
std::vector<TokenSpan> slow_spans(const Encoding& window, std::span<const float> logits,
                                  std::size_t most, std::size_t longest, double& null_score) {
  const std::size_t n = window.size();
  std::vector<double> ends[2];
  for (std::size_t column = 0; column < 2; ++column) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const bool counts = window.sequence_ids[i] == 1 || window.ids[i] == 0;
      ends[column].push_back(counts ? std::exp(static_cast<double>(logits[2 * i + column])) : 0.0);
      sum += ends[column].back();
    }
    for (double& x : ends[column])
      x /= sum;
  }
  null_score = ends[0][0] * ends[1][0];
  ends[0][0] = ends[1][0] = 0;
  std::vector<TokenSpan> all;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i; j < n && j - i < longest; ++j)
      if (ends[0][i] * ends[1][j] > 0) all.push_back({i, j, ends[0][i] * ends[1][j]});
  std::ranges::stable_sort(all, std::ranges::greater{}, &TokenSpan::score);
  all.resize(std::min(all.size(), most));
  return all;
}

TEST(Spans, AreThoseOfTheDefinition) {
  const Encoding window = tokenizer().encode("왕이?", "왕이 서울에서 살았다. 왕이 서울에 살았다.");
  for (unsigned seed = 0; seed < 200; ++seed) {
    const auto logits = random_logits(window.size(), seed);
    const std::size_t most = 1 + seed % 40, longest = 1 + seed % 7;
    const WindowSpans ours = best_spans(window, logits, 0, most, longest);
    double null_score = 0;
    const auto theirs = slow_spans(window, logits, most, longest, null_score);
    EXPECT_NEAR(ours.null_score, null_score, 1e-12);
    ASSERT_EQ(ours.best.size(), theirs.size());
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      EXPECT_EQ(ours.best[i].first, theirs[i].first);
      EXPECT_EQ(ours.best[i].last, theirs[i].last);
      EXPECT_NEAR(ours.best[i].score, theirs[i].score, 1e-12);
    }
  }
}

TEST(Spans, ALongestAnswerBeyondAllNumbersIsNoLimit) {
  const Encoding window = tokenizer().encode("왕?", "왕이 서울에서 살았다.");
  const auto logits = random_logits(window.size(), 1);
  EXPECT_EQ(best_spans(window, logits, 0, 1000, ~std::size_t{0}).best.size(),
            best_spans(window, logits, 0, 1000, window.size()).best.size());
}

TEST(Spans, WordsAreWholeWhereTheyAreAskedFor) {
  const std::string context = "왕이 서울에서 살았다.";
  const Encoding window = tokenizer().encode("왕?", context);
  // [CLS] 왕 ? [SEP] 왕 ##이 서울 ##에 ##서 살았다 . [SEP]
  const TokenSpan span{5, 7, 1};
  EXPECT_EQ(place_of(window, span, true, context.size()), (Offset{0, 19}));
  EXPECT_EQ(place_of(window, span, false, context.size()), (Offset{3, 16}));
}

TEST(Spans, OfAWordThatTheWindowCutsOnlyItsPartIsTaken) {
  const std::string context = "왕이 서울에서 살았다.";
  const auto windows = tokenizer().windows(
      "왕?", context,
      {.max_length = 9, .truncation = Truncation::only_second, .return_overflowing = true});
  ASSERT_EQ(windows.size(), 2u);
  const Encoding window = windows[0];  // … 왕 ##이 서울 ##에 [SEP]
  EXPECT_EQ(place_of(window, {6, 6, 1}, true, context.size()), (Offset{7, 16}));
}

// A literal [CLS] in the question is not masked in the original: a span may begin there, and its
// word's number is looked up in the context.
TEST(Spans, ThatBeginInTheQuestionStayInTheContext) {
  const std::string context = "왕이 서울에";
  const Encoding window = tokenizer().encode("왕 [CLS] 서울 살았다 살았다", context);
  ASSERT_EQ(window.ids[2], 0);
  for (const bool align : {true, false})
    for (std::size_t last = 2; last < window.size(); ++last) {
      const Offset place = place_of(window, {2, last, 1}, align, context.size());
      EXPECT_LE(place.begin, place.end);
      EXPECT_LE(place.end, context.size());
    }
}

// ------------------------------------------------------------------------------------- merging

class Merging : public testing::Test {
 protected:
  const std::string context = "왕이 Ab aB 서울에 서울에";
  const Encoding window = tokenizer().encode("왕?", context);
  // [CLS] 왕 ? [SEP] 왕 ##이 Ab aB 서울 ##에 서울 ##에 [SEP]

  std::vector<std::string> texts(const AnswerOptions& options,
                                 const std::vector<WindowSpans>& windows) const {
    std::vector<std::string> result;
    AnswerMerger merger(context, options);
    for (const WindowSpans& spans : windows)
      merger.add(window, spans);
    for (const Answer& answer : merger.finish().best)
      result.push_back(answer.text);
    return result;
  }
};

TEST_F(Merging, EqualTextsAddUpAtTheFirstPlaceWhateverTheirCase) {
  AnswerMerger merger(context, {.top_k = 9});
  merger.add(window, {.best = {{7, 7, .4}, {6, 6, .3}, {10, 10, .2}}, .null_score = .1});
  merger.add(window, {.best = {{8, 9, .3}}, .null_score = .05});
  const Answers answers = merger.finish();
  ASSERT_EQ(answers.best.size(), 2u);
  EXPECT_EQ(answers.best[0].text, "aB");
  EXPECT_NEAR(answers.best[0].score, .7, 1e-12);
  EXPECT_EQ(answers.best[0].code_points, (Offset{6, 8}));
  EXPECT_EQ(answers.best[1].text, "서울에");
  EXPECT_NEAR(answers.best[1].score, .5, 1e-12);
  EXPECT_EQ(answers.best[1].code_points, (Offset{13, 16}));  // where it was first found
  EXPECT_NEAR(answers.null_score, .05, 1e-12);
}

TEST_F(Merging, TheEmptyAnswerCompetes) {
  const std::vector<WindowSpans> windows{{.best = {{6, 6, .4}, {8, 8, .2}}, .null_score = .3}};
  EXPECT_THAT(texts({.top_k = 3}, windows), ElementsAre("Ab", "서울에"));
  EXPECT_THAT(texts({.top_k = 3, .no_answer = true}, windows), ElementsAre("Ab", "", "서울에"));
  EXPECT_THAT(texts({.top_k = 3, .no_answer = true, .no_answer_threshold = .15}, windows),
              ElementsAre("Ab", "서울에", ""));
  EXPECT_THAT(texts({.top_k = 1, .no_answer = true, .no_answer_threshold = -.15}, windows),
              ElementsAre(""));
}

TEST_F(Merging, NoSpansAreNoAnswers) {
  EXPECT_THAT(texts({}, {{.best = {}, .null_score = 1}}), IsEmpty());
  EXPECT_THAT(texts({.no_answer = true}, {{.best = {}, .null_score = 1}}), ElementsAre(""));
}

TEST(AnswerMerger, AsksForMoreSpansWhereSomeWillMerge) {
  EXPECT_EQ(AnswerMerger::spans_wanted({.top_k = 3}), 16u);
  EXPECT_EQ(AnswerMerger::spans_wanted({.top_k = 3, .align_words = false}), 3u);
}

}  // namespace
}  // namespace klue::detail
