// Lines of JSON in, lines of JSON out: the fields, their order, and that each option reaches the
// task. What the task answers is tested with the library.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "predict/predict.hpp"

namespace klue {
namespace {

using nlohmann::ordered_json;
using test::fixture;
using test::keys_of;
using test::predict_json;
using testing::ElementsAre;

const nlohmann::json kTexts = nlohmann::json::array(
    {{{"text", "위치가 좋은 숙소입니다."}}, {{"text", ""}}, {{"text", "😀 이 다는\t사람\n전"}}});

TEST(PredictContract, Classify) {
  const nlohmann::json lines = nlohmann::json::array(
      {{{"text", "이 다는"}, {"text_pair", "사람"}}, {{"text", "전"}, {"text_pair", nullptr}}});
  const auto out = predict_json("tiny-11-seqcls", "classify", {}, lines);
  const Classifier classifier(Model::load(fixture("tiny-11-seqcls")));
  const auto pair = classifier.classify({{"이 다는", "사람"}})[0],
             alone = classifier.classify("전");
  EXPECT_THAT(keys_of(out.at(0)), ElementsAre("labels"));
  EXPECT_THAT(keys_of(out.at(0)["labels"][0]), ElementsAre("label", "score"));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(out[0]["labels"][i]["label"], pair[i].name);
    EXPECT_EQ(out[0]["labels"][i]["score"], pair[i].score);
    EXPECT_EQ(out[1]["labels"][i]["score"], alone[i].score);
  }
  EXPECT_EQ(predict_json("tiny-11-seqcls", "classify", {"--top-k", "1"}, lines)[0]["labels"].size(),
            1u);
  const ClassifyOptions raw{.activation = ScoreFunction::none, .text = {.max_length = 4}};
  EXPECT_EQ(
      predict_json("tiny-11-seqcls", "classify", {"--activation", "none", "--max-length", "4"},
                   lines)[1]["labels"][0]["score"],
      classifier.classify("전", raw)[0].score);
}

TEST(PredictContract, Rank) {
  const nlohmann::json lines = nlohmann::json::array(
      {{{"text", "이 다는"}, {"text_pair", "사람"}}, {{"text", "전"}, {"text_pair", ""}}});
  const auto out = predict_json("tiny-11-rank", "rank", {}, lines);
  const Ranker ranker(Model::load(fixture("tiny-11-rank")));
  const auto scores = ranker.score({{"이 다는", "사람"}, {"전", ""}});
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_THAT(keys_of(out.at(i)), ElementsAre("score"));
    EXPECT_EQ(out[i]["score"], scores[i]);
  }
}

void expect_entities(const ordered_json& line, const std::vector<Entity>& entities,
                     const char* key) {
  ASSERT_EQ(line["entities"].size(), entities.size());
  for (std::size_t i = 0; i < entities.size(); ++i) {
    const ordered_json& entity = line["entities"][i];
    EXPECT_THAT(keys_of(entity),
                ElementsAre(key, "score", "word", "start", "end", "start_char", "end_char"));
    EXPECT_EQ(entity[key], entities[i].label);
    EXPECT_EQ(entity["score"], entities[i].score);
    EXPECT_EQ(entity["word"], entities[i].word);
    EXPECT_EQ(entity["start"], entities[i].offset.begin);
    EXPECT_EQ(entity["end"], entities[i].offset.end);
    EXPECT_EQ(entity["start_char"], entities[i].code_points.begin);
    EXPECT_EQ(entity["end_char"], entities[i].code_points.end);
  }
}

TEST(PredictContract, Tag) {
  const Tagger tagger(Model::load(fixture("tiny-11-tokcls")));
  const struct {
    std::vector<std::string> arguments;
    TagOptions options;
    const char* key;
  } cases[]{
      {{}, {}, "entity_group"},
      {{"--aggregation", "none"}, {.aggregation = Aggregation::none}, "entity"},
      {{"--aggregation", "first"}, {.aggregation = Aggregation::first}, "entity_group"},
      {{"--aggregation", "average"}, {.aggregation = Aggregation::average}, "entity_group"},
      {{"--aggregation", "max", "--max-length", "6"},
       {.aggregation = Aggregation::max, .max_length = 6},
       "entity_group"},
      {{"--max-length", "6", "--stride", "2"}, {.max_length = 6, .stride = 2}, "entity_group"}};
  for (const auto& c : cases) {
    const auto out = predict_json("tiny-11-tokcls", "tag", c.arguments, kTexts);
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
      EXPECT_THAT(keys_of(out.at(i)), ElementsAre("entities"));
      expect_entities(out[i], tagger.tag(kTexts[i]["text"].get<std::string>(), c.options), c.key);
    }
  }
}

TEST(PredictContract, Answer) {
  const Answerer answerer(Model::load(fixture("tiny-11-qa")));
  const std::string question = "사람은?",
                    context = "😀 이 다는 사람. 위치가 좋은 숙소입니다. 전 대 사람";
  const nlohmann::json lines =
      nlohmann::json::array({{{"question", question}, {"context", context}}});
  const struct {
    std::vector<std::string> arguments;
    AnswerOptions options;
  } cases[]{{{}, {}},
            {{"--top-k", "4"}, {.top_k = 4}},
            {{"--top-k", "4", "--no-align-words"}, {.top_k = 4, .align_words = false}},
            {{"--top-k", "9", "--no-answer"}, {.top_k = 9, .no_answer = true}},
            {{"--top-k", "9", "--no-answer-threshold", "0.5"},
             {.top_k = 9, .no_answer = true, .no_answer_threshold = 0.5}},
            {{"--max-answer-length", "2"}, {.max_answer_length = 2}},
            {{"--max-length", "20", "--stride", "3"}, {.max_length = 20, .stride = 3}}};
  for (const auto& c : cases) {
    const auto out = predict_json("tiny-11-qa", "answer", c.arguments, lines);
    const auto best = answerer.answer(question, context, c.options).best;
    EXPECT_THAT(keys_of(out.at(0)), ElementsAre("answers"));
    ASSERT_EQ(out[0]["answers"].size(), best.size());
    for (std::size_t i = 0; i < best.size(); ++i) {
      const ordered_json& answer = out[0]["answers"][i];
      EXPECT_THAT(keys_of(answer),
                  ElementsAre("answer", "score", "start", "end", "start_char", "end_char"));
      EXPECT_EQ(answer["answer"], best[i].text);
      EXPECT_EQ(answer["score"], best[i].score);
      EXPECT_EQ(answer["start"], best[i].offset.begin);
      EXPECT_EQ(answer["end"], best[i].offset.end);
      EXPECT_EQ(answer["start_char"], best[i].code_points.begin);
      EXPECT_EQ(answer["end_char"], best[i].code_points.end);
    }
  }
}

TEST(PredictContract, FillMask) {
  const MaskFiller filler(Model::load(fixture("tiny-11")));
  const std::string text = "이 [MASK] 사람 [MASK]";
  const nlohmann::json lines = nlohmann::json::array({{{"text", text}}});
  const struct {
    std::vector<std::string> arguments;
    FillMaskOptions options;
  } cases[]{{{}, {}},
            {{"--top-k", "2"}, {.top_k = 2}},
            {{"--targets", "이,##다,사람,[SEP]"}, {.targets = {"이", "##다", "사람", "[SEP]"}}}};
  for (const auto& c : cases) {
    const auto out = predict_json("tiny-11", "fill-mask", c.arguments, lines);
    const auto masks = filler.fill(text, c.options);
    EXPECT_THAT(keys_of(out.at(0)), ElementsAre("masks"));
    ASSERT_EQ(out[0]["masks"].size(), 2u);
    for (std::size_t mask = 0; mask < 2; ++mask) {
      ASSERT_EQ(out[0]["masks"][mask].size(), masks[mask].size());
      for (std::size_t i = 0; i < masks[mask].size(); ++i) {
        const ordered_json& filling = out[0]["masks"][mask][i];
        EXPECT_THAT(keys_of(filling), ElementsAre("token", "token_str", "score", "sequence"));
        EXPECT_EQ(filling["token"], masks[mask][i].token);
        EXPECT_EQ(filling["token_str"], masks[mask][i].token_text);
        EXPECT_EQ(filling["sequence"], masks[mask][i].sequence);
        EXPECT_EQ(filling["score"], masks[mask][i].score);
      }
    }
  }
}

// Far more lines than are worked on at a time, of lengths that would be sorted.
TEST(PredictContract, ManyLinesStayInOrder) {
  nlohmann::json lines = nlohmann::json::array();
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 2500; ++i) {
    texts.push_back("사람 " + std::string(i % 17, '.') + std::to_string(i));
    lines.push_back({{"text", texts.back()}});
  }
  const auto out = predict_json("tiny-11-seqcls", "classify", {"--top-k", "1"}, lines);
  const auto expected =
      Classifier(Model::load(fixture("tiny-11-seqcls"))).classify(texts, {.top_k = 1});
  for (std::size_t i = 0; i < texts.size(); ++i)
    ASSERT_EQ(out[i]["labels"][0]["score"], expected[i][0].score) << i;
}

}  // namespace
}  // namespace klue
