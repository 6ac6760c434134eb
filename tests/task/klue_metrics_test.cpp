// What KLUE's scores say of cases that a person can work out, and that they agree with slow code.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/task/detail/klue_arithmetic.hpp>
#include <klue/task/klue_metrics.hpp>

namespace klue::metrics {
namespace {

using testing::HasSubstr;
using Labels = std::vector<std::int32_t>;
using Floats = std::vector<float>;

constexpr std::int32_t kO = 12;

void expect_refused(const std::function<double()>& metric, const std::string& field) {
  try {
    metric();
    ADD_FAILURE() << "not refused: " << field;
  } catch (const UsageError& error) {
    EXPECT_EQ(error.field(), field);
  }
}

TEST(NumpySum, AddsInItsOrder) {
  EXPECT_EQ(detail::numpy_sum({}), 0);
  // From left to right the ones would be lost; eight running sums keep seven of the eight.
  std::vector<double> terms(16, 1.0);
  terms[0] = 0x1p53;
  EXPECT_EQ(detail::numpy_sum(terms), 0x1p53 + 14);
  EXPECT_EQ(detail::numpy_sum(std::vector<double>(7, 0.1)),
            0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1);
  // 130 terms: 64 and 66.
  std::vector<double> many(130, 1.0);
  many[64] = 0x1p53;
  const std::vector<double> left(64, 1.0), right(many.begin() + 64, many.end());
  EXPECT_EQ(detail::numpy_sum(many), detail::numpy_sum(left) + detail::numpy_sum(right));
}

TEST(MacroF1, IsTheMeanOverLabelsThatOccur) {
  EXPECT_EQ(macro_f1(Labels{0, 0, 6}, Labels{0, 0, 6}), 100);
  EXPECT_EQ(macro_f1(Labels{0, 0, 6}, Labels{0, 0, 5}), 1.0 / 3 * 100);
  EXPECT_TRUE(std::isnan(macro_f1({}, {})));
}

TEST(Accuracy, IsTheShareOfEqualLabels) {
  EXPECT_EQ(accuracy(Labels{0, 1, 2, 2}, Labels{0, 1, 1, 2}), 75);
  EXPECT_TRUE(std::isnan(accuracy({}, {})));
}

TEST(Labels, OutOfRangeOrMissingAreRefused) {
  expect_refused([] { return macro_f1(Labels{0, 7}, Labels{0, 0}); }, "gold[1]");
  expect_refused([] { return macro_f1(Labels{0, 6}, Labels{0, -1}); }, "predictions[1]");
  expect_refused([] { return accuracy(Labels{0, 2}, Labels{0, 3}); }, "predictions[1]");
  expect_refused([] { return micro_f1(Labels{30}, Labels{0}); }, "gold[0]");
  expect_refused([] { return entity_macro_f1(Labels{13}, Labels{0}); }, "gold[0]");
  expect_refused([] { return character_macro_f1(Labels{0}, Labels{0, 1}); }, "predictions");
  expect_refused([] { return f1_at_3(Floats{1}, Floats{}); }, "predictions");
}

TEST(Pearson, OfWhatHasNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(pearson(Floats{1, 2, 3}, Floats{2, 2, 2})));
  EXPECT_EQ(pearson(Floats{1, 2}, Floats{5, 3}), -100);
  expect_refused([] { return pearson(Floats{1}, Floats{2}); }, "predictions");
  expect_refused([nan] { return pearson(Floats{1, 2, 3}, Floats{1, nan, 2}); }, "predictions");
  expect_refused([nan] { return pearson(Floats{1, nan, 3}, Floats{1, 3, 2}); }, "gold");
}

TEST(Pearson, DoesNotOverflow) {
  const float huge = std::numeric_limits<float>::max();
  EXPECT_NEAR(pearson(Floats{0, 1, 2}, Floats{-huge, 0, huge}), 100, 1e-11);
}

TEST(F1At3, ComparesInFloat32) {
  EXPECT_EQ(f1_at_3(Floats{3, 0}, Floats{2.99999994f, 0}), 100);
  EXPECT_EQ(f1_at_3(Floats{3, 0}, Floats{2.9999998f, 0}), 0);
  EXPECT_EQ(f1_at_3(Floats{0}, Floats{0}), 0);
}

TEST(MicroF1, LeavesNoRelationOut) {
  EXPECT_EQ(micro_f1(Labels{0, 0, 0}, Labels{0, 0, 0}), 0);
  EXPECT_EQ(micro_f1(Labels{0, 5}, Labels{0, 5}), 100);
  EXPECT_EQ(micro_f1(Labels{0, 5}, Labels{7, 5}), 2 * 0.5 * 1 / 1.5 * 100);
}

// The area from its definition: a point for every threshold that occurs, looked at one by one.
double slow_area(const Labels& gold, const Floats& probabilities, std::int32_t label) {
  std::vector<float> thresholds;
  for (std::size_t i = 0; i < gold.size(); ++i)
    thresholds.push_back(probabilities[i * 30 + static_cast<std::size_t>(label)]);
  const std::vector<float> column = thresholds;
  std::sort(thresholds.rbegin(), thresholds.rend());
  const auto positives = static_cast<double>(std::count(gold.begin(), gold.end(), label));
  double area = 0, last_recall = 0, last_precision = 1;
  for (const float threshold : thresholds) {
    double found = 0, taken = 0;
    for (std::size_t i = 0; i < gold.size(); ++i)
      if (column[i] >= threshold) {
        ++taken;
        found += gold[i] == label ? 1 : 0;
      }
    const double recall = found / positives, precision = found / taken;
    area += (recall - last_recall) * (precision + last_precision) / 2;
    last_recall = recall;
    last_precision = precision;
  }
  return area;
}

TEST(Auprc, IsTheMeanOfTheAreas) {
  std::mt19937 random(7);
  Labels gold;
  Floats probabilities;
  for (std::int32_t i = 0; i < 90; ++i) {
    gold.push_back(i % 30);
    for (int k = 0; k < 30; ++k)
      probabilities.push_back(static_cast<float>(random() % 16) / 16);
  }
  double sum = 0;
  for (std::int32_t label = 0; label < 30; ++label)
    sum += slow_area(gold, probabilities, label);
  EXPECT_NEAR(auprc(gold, probabilities), sum / 30 * 100, 1e-9);
}

TEST(Auprc, NeedsProbabilitiesOfEveryExample) {
  EXPECT_TRUE(std::isnan(auprc(Labels{3}, Floats(30, 0.1f))));
  expect_refused([] { return auprc({}, {}); }, "gold");
  expect_refused([] { return auprc(Labels{3}, Floats(29, 0.1f)); }, "probabilities");
  Floats with_nan(60, 0.1f);
  with_nan[31] = std::numeric_limits<float>::quiet_NaN();
  expect_refused([&] { return auprc(Labels{3, 4}, with_nan); }, "probabilities[1][1]");
}

TEST(EntityMacroF1, CountsWholeEntities) {
  const Labels gold{0, 1, kO, 2, 3};  // 사람 둘, 장소 둘
  EXPECT_EQ(entity_macro_f1(gold, gold), 100);
  EXPECT_EQ(entity_macro_f1(gold, Labels{0, 1, kO, 2, kO}), 50);  // too short
  EXPECT_EQ(entity_macro_f1(gold, Labels{0, 1, 1, 2, 3}), 50);    // too long
  EXPECT_EQ(entity_macro_f1(gold, Labels{1, 1, kO, 2, 3}), 50);   // no beginning
  EXPECT_EQ(entity_macro_f1(gold, Labels{0, 3, kO, 2, 3}), 50);   // another type
  EXPECT_TRUE(std::isnan(entity_macro_f1(Labels{kO, 1}, Labels{kO, 3})));
}

TEST(CharacterMacroF1, CountsLabelsOnNeitherSideAsRight) {
  EXPECT_EQ(character_macro_f1({}, {}), 100);
  EXPECT_EQ(character_macro_f1(Labels{kO, kO}, Labels{kO, kO}), 100);
  EXPECT_NEAR(character_macro_f1(Labels{0}, Labels{1}), 11.0 / 13 * 100, 1e-12);
}

TEST(NormalizedAnswer, KeepsWhatTheOriginalKeeps) {
  EXPECT_EQ(normalized_answer("  제 4대,  국왕!\n(세종) "), "제 4대 국왕 세종");
  EXPECT_EQ(normalized_answer("《기생충》 ‘봉준호’"), "《기생충》 ‘봉준호’");
  EXPECT_EQ(normalized_answer("《()‘’기생충"), "기생충");
  EXPECT_EQ(normalized_answer("KLUE"), "klue");
}

TEST(AnswerScore, OfAQuestionWithoutAnAnswer) {
  EXPECT_EQ(answer_score("", {}), (AnswerScore{1, 1}));
  EXPECT_EQ(answer_score("!", {}), (AnswerScore{1, 1}));
  EXPECT_EQ(answer_score("답", {}), (AnswerScore{0, 0}));
}

TEST(AnswerScores, AddsByType) {
  EXPECT_TRUE(std::isnan(answer_scores({}).rouge_w));
  const std::vector<AnswerScore> scores{{1, 1}, {0, 0.5}};
  EXPECT_EQ(answer_scores(scores), (AnswerScore{50, 75}));
  EXPECT_EQ(answer_scores(scores, Labels{0, -2}), (AnswerScore{50, 75}));
  expect_refused([&] { return answer_scores(scores, Labels{1}).rouge_w; }, "question_types");
  expect_refused([&] { return answer_scores(scores, Labels{1, 4}).rouge_w; }, "question_types[1]");
  expect_refused([&] { return answer_scores(scores, Labels{-3, 1}).rouge_w; }, "question_types[0]");
}

// difflib's SequenceMatcher(None, a, b).find_longest_match, every pair of places tried.
std::size_t slow_longest_match(const std::string& a, const std::string& b) {
  const auto popular = [&b](char c) {
    return b.size() >= 200 &&
           static_cast<std::size_t>(std::count(b.begin(), b.end(), c)) > b.size() / 100 + 1;
  };
  std::size_t i0 = 0, j0 = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t n = 0;
      while (i + n < a.size() && j + n < b.size() && a[i + n] == b[j + n] && !popular(a[i + n]))
        ++n;
      if (n > size) i0 = i, j0 = j, size = n;
    }
  for (; i0 > 0 && j0 > 0 && a[i0 - 1] == b[j0 - 1]; --i0, --j0)
    ++size;
  while (i0 + size < a.size() && j0 + size < b.size() && a[i0 + size] == b[j0 + size])
    ++size;
  return size;
}

TEST(AnswerScore, IsDifflibsLongestMatch) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    // Few letters: long matches; many with 200 characters: popular ones and others.
    const std::size_t length = round % 3 == 0 ? 195 + random() % 100 : 1 + random() % 40;
    const unsigned letters = round % 2 == 0 ? 3 : 26;
    std::string a(1 + random() % 60, 'a'), b(length, 'a');
    for (char& c : a)
      c = static_cast<char>('a' + random() % letters * random() % 26);
    for (char& c : b)
      c = static_cast<char>('a' + random() % letters * random() % 26);
    const auto match = static_cast<double>(slow_longest_match(a, b));
    const double precision = match / static_cast<double>(a.size()),
                 recall = match / static_cast<double>(b.size());
    const double expected = match == 0 ? 0 : 2 * (precision * recall) / (precision + recall);
    EXPECT_EQ(answer_score(a, std::array{b}).rouge_w, expected) << a << "\n" << b;
  }
}

}  // namespace
}  // namespace klue::metrics
