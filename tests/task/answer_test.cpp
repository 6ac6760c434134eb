#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"
#include "task/slow_head.hpp"

namespace klue {
namespace {

using test::fixture;
using test::ModelDirectory;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kQuestion = "사람은 어디?",
                  kContext = "이 다는 사람. 위치가 좋은 숙소입니다. 전 대 사람";

const Answerer& answerer() {
  static const Answerer value(Model::load(fixture("tiny-11-qa"), {.batch_tokens = 64}));
  return value;
}

std::string long_context(std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i)
    text.append(kContext).append(" ").append(std::to_string(i)).append(" ");
  return text;
}

TEST(Answer, LogitsAreTheLayerOnTheEncodersOutputs) {
  const Checkpoint checkpoint = open_checkpoint(fixture("tiny-11-qa"));
  const auto windows = answerer().logits(kQuestion, kContext);
  ASSERT_EQ(windows.size(), 1u);
  const Tensor rows = answerer().model().encode({{kQuestion, kContext}}).sequence_output;
  ASSERT_THAT(windows[0].logits.shape(), ElementsAre(rows.shape()[1], 2));
  for (std::size_t t = 0; t < rows.shape()[1]; ++t)
    test::expect_near(windows[0].logits.at(t),
                      test::linear(checkpoint, "qa_outputs", test::as_double(rows.at(0, t))));
}

TEST(Answer, AnswersAreWhereTheySay) {
  for (const std::string& context : {kContext, long_context(60)})
    for (const bool align : {true, false}) {
      const Answers answers =
          answerer().answer(kQuestion, context, {.top_k = 8, .align_words = align});
      ASSERT_FALSE(answers.best.empty());
      double score = 2;
      for (const Answer& answer : answers.best) {
        EXPECT_EQ(answer.text,
                  context.substr(answer.offset.begin, answer.offset.end - answer.offset.begin));
        EXPECT_LE(answer.score, score);
        score = answer.score;
      }
    }
}

TEST(Answer, AQuestionGetsTheSameAloneAndAmongOthers) {
  std::vector<std::string> contexts;
  for (std::size_t i = 1; i < 30; ++i)
    contexts.push_back(long_context(i % 7 + 1));
  std::vector<Question> questions;
  for (const std::string& context : contexts)
    questions.push_back({kQuestion, context});
  const AnswerOptions options{.top_k = 3, .max_length = 40, .stride = 10};
  const auto together = answerer().answer(questions, options);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Answers alone = answerer().answer(kQuestion, contexts[i], options);
    EXPECT_EQ(alone.null_score, together[i].null_score);
    ASSERT_EQ(alone.best.size(), together[i].best.size());
    for (std::size_t k = 0; k < alone.best.size(); ++k) {
      EXPECT_EQ(alone.best[k].text, together[i].best[k].text);
      EXPECT_EQ(alone.best[k].score, together[i].best[k].score);
      EXPECT_EQ(alone.best[k].code_points, together[i].best[k].code_points);
    }
  }
}

TEST(Answer, WhatCannotBeAsked) {
  const auto field = [](std::string_view question, std::string_view context,
                        const AnswerOptions& options = {}) {
    return thrown<UsageError>([&] { answerer().answer(question, context, options); }).field();
  };
  EXPECT_EQ(field("", kContext), "question");
  EXPECT_EQ(field(kQuestion, ""), "context");
  EXPECT_EQ(field(kQuestion, kContext, {.top_k = 0}), "top_k");
  EXPECT_EQ(field(kQuestion, kContext, {.max_answer_length = 0}), "max_answer_length");
  EXPECT_EQ(field(kQuestion, kContext, {.max_length = 513}), "max_length");
  EXPECT_EQ(field(kQuestion, kContext, {.max_length = 20, .stride = 21}), "stride");
  // The stride must be smaller than the room that the question leaves.
  EXPECT_EQ(field(kQuestion, long_context(9), {.max_length = 20, .stride = 16}), "stride");
  EXPECT_EQ(field(long_context(60), kContext), "truncation");  // the question fills the window
}

// The original's own answer: nothing, or that there is none.
TEST(Answer, AContextOfSpaces) {
  EXPECT_THAT(answerer().answer(kQuestion, "   ").best, IsEmpty());
  const Answers answers = answerer().answer(kQuestion, "   ", {.no_answer = true});
  ASSERT_EQ(answers.best.size(), 1u);
  EXPECT_EQ(answers.best[0].text, "");
  EXPECT_EQ(answers.best[0].score, 1);
}

TEST(Answer, NoQuestionsAreNoAnswers) {
  EXPECT_THAT(answerer().answer(std::vector<Question>{}), IsEmpty());
}

TEST(Answer, TextsThatAreNoUtf8) {
  const std::string context = "사람 \xFF\xFE 이 \xEA\xB0 전";
  for (const Answer& answer : answerer().answer("\xFF?", context, {.top_k = 9}).best)
    EXPECT_LE(answer.offset.end, context.size());
}

TEST(Answer, DamagedHeadsAreRefused) {
  EXPECT_EQ(thrown<UsageError>([] { Answerer answerer(Model::load(fixture("tiny-11"))); }).actual(),
            "masked language model");
  for (const char* tensor : {"qa_outputs.weight", "qa_outputs.bias"}) {
    const ModelDirectory missing("tiny-11-qa");
    missing.edit_header([&](auto& header) {
      header["elsewhere"] = header[tensor];
      header.erase(tensor);
    });
    EXPECT_EQ(thrown<FormatError>([&] { Answerer a(Model::load(missing.path())); }).field(),
              tensor);
  }
  const ModelDirectory reshaped("tiny-11-qa");
  reshaped.edit_header([](auto& header) {
    header["qa_outputs.weight"]["shape"] = std::vector{1, 64};
  });
  EXPECT_EQ(thrown<FormatError>([&] { Answerer a(Model::load(reshaped.path())); }).expected(),
            "[2, 32]");
}

}  // namespace
}  // namespace klue
