// Decoding of labels; the logits are tested where they are computed, in model/classify_test.cpp.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue {
namespace {

using test::fixture;
using test::ModelDirectory;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Classifier& classifier() {
  static const Classifier value(Model::load(fixture("tiny-11-seqcls")));
  return value;
}

std::vector<std::string> names(const std::vector<Label>& labels) {
  std::vector<std::string> result;
  for (const Label& label : labels)
    result.push_back(label.name);
  return result;
}

Classifier with_config(const char* name, const char* key, const char* json) {
  const ModelDirectory directory(name);
  directory.edit_json("config.json",
                      [&](auto& config) { config[key] = nlohmann::ordered_json::parse(json); });
  return Classifier(Model::load(directory.path()));
}

TEST(Classifier, BestFirstEqualsInTheOrderOfTheLabels) {
  EXPECT_THAT(names(classifier().decode(std::vector<float>{1, 3, 2})),
              ElementsAre("LABEL_1", "LABEL_2", "LABEL_0"));
  EXPECT_THAT(names(classifier().decode(std::vector<float>{1, 2, 2}, {.top_k = 2})),
              ElementsAre("LABEL_1", "LABEL_2"));
}

TEST(Classifier, TheFunctionIsTheProblemTypes) {
  EXPECT_EQ(classifier().activation(), ScoreFunction::softmax);
  EXPECT_EQ(Classifier(Model::load(fixture("tiny-11-rank"))).activation(), ScoreFunction::sigmoid);
  const struct {
    const char* type;
    ScoreFunction function;
  } cases[]{{R"("regression")", ScoreFunction::none},
            {R"("multi_label_classification")", ScoreFunction::sigmoid},
            {R"("single_label_classification")", ScoreFunction::softmax},
            {"null", ScoreFunction::softmax}};
  for (const auto& c : cases)
    EXPECT_EQ(with_config("tiny-11-seqcls", "problem_type", c.type).activation(), c.function);
  for (const char* type : {R"("classification")", "7", "{}"})
    EXPECT_EQ(
        thrown<FormatError>([&] { with_config("tiny-11-seqcls", "problem_type", type); }).field(),
        "problem_type");
}

TEST(Classifier, TheCallersFunctionComesFirst) {
  const std::vector<float> logits{1, 3, 2};
  EXPECT_EQ(classifier().decode(logits, {.activation = ScoreFunction::none})[0].score, 3);
  EXPECT_NEAR(classifier().decode(logits, {.activation = ScoreFunction::sigmoid})[0].score,
              0.952574, 1e-6);
}

TEST(Classifier, ScoresAreThoseOfTheLogits) {
  const std::vector<TextPair> texts{{"이 다는", "사람"}, {"전"}};
  const Tensor logits = classifier().model().classify(texts);
  const auto results = classifier().classify(texts);
  ASSERT_EQ(results.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto decoded = classifier().decode(logits.at(i));
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(results[i][k].name, decoded[k].name);
      EXPECT_EQ(results[i][k].score, decoded[k].score);
    }
  }
  EXPECT_THAT(classifier().classify(std::vector<std::string>{}), IsEmpty());
}

// As the original's tokenizer has it; the vectors of Model::classify keep both separators.
TEST(Classifier, AnEmptySecondTextIsNone) {
  const Tensor pair = classifier().logits({{"사람", ""}}), alone = classifier().logits("사람");
  EXPECT_TRUE(std::ranges::equal(pair.values(), alone.values()));
}

TEST(Classifier, LabelsThatAreNotThoseOfTheHead) {
  for (const char* id2label : {R"({"0": "가"})", R"({"0": "가", "1": "나", "3": "다"})", R"([])",
                               R"({"0": 1, "1": 2, "2": 3})"}) {
    const auto error =
        thrown<FormatError>([&] { with_config("tiny-11-seqcls", "id2label", id2label); });
    EXPECT_EQ(error.field(), "id2label") << id2label;
    EXPECT_THAT(error.expected(), HasSubstr("3 labels"));
  }
}

// A SavedModel names no labels.
TEST(Classifier, LabelsWithoutNamesAreNumbered) {
  const Classifier dense(Model::load(fixture("tiny-11-fine-tuned-pooler")));
  EXPECT_EQ(dense.labels().size(), 13u);
  EXPECT_EQ(dense.labels().back(), "LABEL_12");
}

TEST(Classifier, OtherHeadsSayWhatTheyAre) {
  const auto error =
      thrown<UsageError>([] { Classifier other(Model::load(fixture("tiny-11-tokcls"))); });
  EXPECT_EQ(error.actual(), "classifier of tokens");
  EXPECT_THAT(error.what(), HasSubstr("classify"));
}

TEST(Classifier, LogitsOfAnotherModel) {
  EXPECT_EQ(thrown<UsageError>([] {
              classifier().decode(std::vector<float>{1, 2});
            }).field(),
            "logits");
}

// ---------------------------------------------------------------------------------------- rank

const Ranker& ranker() {
  static const Ranker value(Model::load(fixture("tiny-11-rank")));
  return value;
}

TEST(Ranker, SortsDocumentsByTheirScores) {
  const std::vector<std::string> documents{"전", "위치가 좋은 숙소", "이 다는", "전"};
  const auto ranking = ranker().rank("사람", documents);
  ASSERT_EQ(ranking.size(), 4u);
  for (std::size_t i = 1; i < ranking.size(); ++i)
    EXPECT_GE(ranking[i - 1].score, ranking[i].score);
  const auto of = [&](std::size_t index) {
    return std::ranges::find(ranking, index, &RankedDocument::index) - ranking.begin();
  };
  EXPECT_EQ(of(0) + 1, of(3));  // equals stay in their order
  EXPECT_EQ(ranker().rank("사람", documents, {.top_k = 1}).size(), 1u);
  EXPECT_THAT(ranker().rank("사람", std::vector<std::string>{}), IsEmpty());
}

TEST(Ranker, ScoresAreSigmoidsUnlessTheModelSaysOtherwise) {
  const std::vector<TextPair> pairs{{"사람", "전"}};
  const double logit = static_cast<double>(ranker().logits(pairs)[0]);
  EXPECT_NEAR(ranker().score(pairs)[0], 1 / (1 + std::exp(-logit)), 1e-12);
  EXPECT_EQ(ranker().score(pairs, {.activation = ScoreFunction::none})[0], logit);
  const char* const identity = "torch.nn.modules.linear.Identity";
  for (const bool newer : {false, true}) {
    const ModelDirectory directory("tiny-11-rank");
    directory.edit_json("config.json", [&](auto& config) {
      if (newer)
        config["sentence_transformers"] = {{"activation_fn", identity}, {"version", "5.1.0"}};
      else
        config["sbert_ce_default_activation_function"] = identity;
    });
    EXPECT_EQ(Ranker(Model::load(directory.path())).score(pairs)[0], logit);
  }
}

TEST(Ranker, AnUnknownActivationIsNamed) {
  const ModelDirectory directory("tiny-11-rank");
  directory.edit_json("config.json", [](auto& config) {
    config["sbert_ce_default_activation_function"] = "os.system";
  });
  EXPECT_EQ(thrown<UnsupportedError>([&] { Ranker r(Model::load(directory.path())); }).actual(),
            "os.system");
}

TEST(Ranker, NeedsOneLogitAndPairs) {
  EXPECT_EQ(thrown<UsageError>([] { Ranker r(Model::load(fixture("tiny-11-seqcls"))); }).expected(),
            "a classifier of pairs with one logit");
  EXPECT_EQ(thrown<UsageError>([] { ranker().score("사람"); }).field(), "text 0");
}

}  // namespace
}  // namespace klue
