// The rules by which labels of tokens become entities, one by one, on a vocabulary small enough to
// work them out by hand.

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/task/detail/entities.hpp>

#include "text/small_tokenizer.hpp"

namespace klue::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kLabels{"B-PS", "I-PS", "B-LC", "I-LC", "O"};
enum : std::size_t { B_PS, I_PS, B_LC, I_LC, O };

/// A label that a token gets, and how sure the head is of it.
struct Choice {
  std::size_t label;
  float logit = 5;
};

class Entities : public testing::Test {
 protected:
  const Tokenizer tokenizer = test::small_tokenizer(
      {"이순신", "은", "##은", "##이", "##다", "조선", "서울", ".", "(", ")", "a"});

  std::vector<Entity> decode(std::string_view text, const std::vector<Choice>& choices,
                             const TagOptions& options = {}) const {
    const Encoding window = tokenizer.encode(text);
    EXPECT_EQ(window.size(), choices.size() + 2) << text;
    std::vector<float> logits(window.size() * kLabels.size());
    for (std::size_t i = 0; i < choices.size(); ++i)
      logits[(i + 1) * kLabels.size() + choices[i].label] = choices[i].logit;
    auto entities = entities_of(tokenizer, text, window, logits, kLabels, options);
    count_code_points(text, entities);
    return entities;
  }

  /// "label:word" of each.
  std::vector<std::string> names(std::string_view text, const std::vector<Choice>& choices,
                                 const TagOptions& options = {}) const {
    std::vector<std::string> result;
    for (const Entity& e : decode(text, choices, options))
      result.push_back(e.label + ":" + e.word);
    return result;
  }
};

double surety(float logit) {
  return std::exp(static_cast<double>(logit)) / (std::exp(static_cast<double>(logit)) + 4);
}

TEST_F(Entities, NoneGivesTokensWithTheirOwnLabels) {
  EXPECT_THAT(names("이순신은 조선", {{B_PS}, {O}, {I_LC}}, {.aggregation = Aggregation::none}),
              ElementsAre("B-PS:이순신", "I-LC:조선"));
  EXPECT_THAT(
      names("이순신은", {{B_PS}, {O}}, {.aggregation = Aggregation::none, .ignore_labels = {}}),
      ElementsAre("B-PS:이순신", "O:##은"));
}

TEST_F(Entities, PlacesAreBytesAndCodePoints) {
  const auto entities = decode("이순신은 조선", {{B_PS}, {O}, {B_LC}});
  ASSERT_EQ(entities.size(), 2u);
  EXPECT_EQ(entities[1].offset, (Offset{13, 19}));
  EXPECT_EQ(entities[1].code_points, (Offset{5, 7}));
  EXPECT_NEAR(entities[1].score, surety(5), 1e-12);
}

TEST_F(Entities, NeighboursOfAKindAreOneUnlessAnotherBegins) {
  EXPECT_THAT(names("이순신은 조선", {{B_PS}, {I_PS}, {I_PS}}), ElementsAre("PS:이순신은 조선"));
  EXPECT_THAT(names("이순신은 조선", {{B_PS}, {I_PS}, {B_PS}}),
              ElementsAre("PS:이순신은", "PS:조선"));
  EXPECT_THAT(names("이순신은 조선", {{I_PS}, {I_LC}, {I_PS}}),
              ElementsAre("PS:이순신", "LC:##은", "PS:조선"));
}

// O groups like any other kind, so it ends an entity, and is left out afterwards.
TEST_F(Entities, WhatIsIgnoredStillSeparates) {
  EXPECT_THAT(names("이순신은 조선", {{I_PS}, {O}, {I_PS}}), ElementsAre("PS:이순신", "PS:조선"));
  EXPECT_THAT(names("이순신은 조선", {{O}, {O}, {I_PS}}, {.ignore_labels = {"PS"}}),
              ElementsAre("O:이순신은"));
}

TEST_F(Entities, AGroupsScoreIsTheMeanOfItsMembers) {
  const auto entities = decode("이순신은", {{B_PS, 3}, {I_PS, 1}});
  ASSERT_EQ(entities.size(), 1u);
  EXPECT_NEAR(entities[0].score, (surety(3) + surety(1)) / 2, 1e-12);
}

TEST_F(Entities, WordsTakeTheLabelOfTheirFirstToken) {
  EXPECT_THAT(
      names("이순신은 조선", {{B_PS, 1}, {B_LC, 9}, {O}}, {.aggregation = Aggregation::first}),
      ElementsAre("PS:이순신은"));
}

TEST_F(Entities, WordsTakeTheLabelOfTheirSurestToken) {
  EXPECT_THAT(
      names("이순신은 조선", {{B_PS, 1}, {B_LC, 9}, {O}}, {.aggregation = Aggregation::max}),
      ElementsAre("LC:이순신은"));
  EXPECT_THAT(names("이순신은", {{B_PS, 3}, {B_LC, 3}}, {.aggregation = Aggregation::max}),
              ElementsAre("PS:이순신은"));  // the first of equals
}

// Two tokens that are a little for one label outweigh one that is a little more for another.
TEST_F(Entities, WordsTakeTheLabelThatIsBestOnAverage) {
  const TagOptions average{.aggregation = Aggregation::average};
  const auto entities = decode("이순신이다", {{B_PS, 2}, {B_LC, 1}, {B_LC, 2}}, average);
  ASSERT_EQ(entities.size(), 1u);
  EXPECT_EQ(entities[0].label, "LC");
  const double other = (1 - surety(2)) / 4;
  EXPECT_NEAR(entities[0].score, (other + surety(1) + surety(2)) / 3, 1e-12);
}

TEST_F(Entities, PunctuationIsAWordOfItsOwn) {
  EXPECT_THAT(
      names("조선(서울)", {{B_LC}, {I_LC}, {I_LC}, {I_LC}}, {.aggregation = Aggregation::first}),
      ElementsAre("LC:조선 ( 서울 )"));
}

// The word of an unknown token is the text that it covers, and it never continues another.
TEST_F(Entities, UnknownWordsAreShownAsTheyStand) {
  EXPECT_THAT(names("조선 훈민정음 서울", {{B_LC}, {I_LC}, {I_LC}}),
              ElementsAre("LC:조선 훈민정음 서울"));
  EXPECT_THAT(names("훈민정음", {{B_PS}}, {.aggregation = Aggregation::first}),
              ElementsAre("PS:훈민정음"));
}

// U+200B is dropped by the tokenizer, but the text that the token covers has it: its length is not
// the token's, and the original takes that for a continuation.
TEST_F(Entities, ARemovedCharacterMakesAFirstTokenAContinuation) {
  EXPECT_THAT(names("서울 조\xE2\x80\x8B선", {{B_LC}, {B_PS}}, {.aggregation = Aggregation::first}),
              ElementsAre("LC:서울 조선"));
}

TEST_F(Entities, AMaskInTheTextIsATokenLikeOthers) {
  EXPECT_THAT(names("조선 [MASK]", {{B_LC}, {I_LC}}), ElementsAre("LC:조선 [MASK]"));
}

TEST_F(Entities, NoTokensAreNoEntities) {
  for (const Aggregation aggregation : {Aggregation::none, Aggregation::simple, Aggregation::first,
                                        Aggregation::average, Aggregation::max}) {
    EXPECT_THAT(decode("", {}, {.aggregation = aggregation}), IsEmpty());
    EXPECT_THAT(decode(" \t", {}, {.aggregation = aggregation}), IsEmpty());
  }
}

TEST_F(Entities, NanIsTheFirstLabelAndOfNoWeightInAMean) {
  const std::string text = "이순신은";
  const Encoding window = tokenizer.encode(text);
  std::vector<float> logits(window.size() * kLabels.size());
  logits[kLabels.size() + O] = std::nanf("");
  logits[2 * kLabels.size() + I_PS] = 5;
  const auto entities = entities_of(tokenizer, text, window, logits, kLabels, {});
  ASSERT_EQ(entities.size(), 1u);
  EXPECT_EQ(entities[0].label, "PS");
  EXPECT_NEAR(entities[0].score, surety(5), 1e-12);
}

// ------------------------------------------------------------------------------------- windows

Entity entity(std::string label, double score, std::size_t begin, std::size_t end) {
  return {.label = std::move(label), .score = score, .word = {}, .offset = {begin, end}};
}

std::vector<std::string> merged(std::vector<Entity> entities, std::string_view text) {
  std::vector<std::string> labels;
  for (const Entity& e : merge_entities(std::move(entities), text))
    labels.push_back(e.label);
  return labels;
}

TEST(MergeEntities, TheLongerStaysThenTheSurer) {
  const std::string text(40, 'x');
  EXPECT_THAT(merged({entity("a", .9, 0, 4), entity("b", .5, 2, 8), entity("c", .5, 8, 9)}, text),
              ElementsAre("b", "c"));
  EXPECT_THAT(merged({entity("a", .5, 0, 4), entity("b", .9, 0, 4)}, text), ElementsAre("b"));
  EXPECT_THAT(merged({entity("a", .5, 0, 4), entity("b", .5, 1, 5)}, text), ElementsAre("a"));
}

TEST(MergeEntities, TheOrderIsTheTexts) {
  const std::string text(40, 'x');
  EXPECT_THAT(merged({entity("b", .5, 10, 12), entity("c", .5, 20, 22), entity("a", .5, 1, 3),
                      entity("b", .4, 10, 12)},
                     text),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(merged({}, text), IsEmpty());
}

// 한글 has six bytes and two code points, "abcd" four of both.
TEST(MergeEntities, LengthsAreOfCodePoints) {
  EXPECT_THAT(merged({entity("hangul", .5, 0, 7), entity("latin", .5, 6, 11)}, "한글abcde"),
              ElementsAre("latin"));
}

}  // namespace
}  // namespace klue::detail
