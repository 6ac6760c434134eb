// The scores of KLUE-baseline itself, to the last bit.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/task/klue_metrics.hpp>

#include "shared_data.hpp"
#include "task/klue_goldens.hpp"

namespace klue::metrics {
namespace {

using test::golden_number;
using Labels = std::vector<std::int32_t>;

TEST(KlueMetricsGolden, RandomRule) {
  EXPECT_EQ(test::splitmix64(0), 0xe220a8397b1dcdaf);
  EXPECT_EQ(test::golden_random(532, 0, 1), 0xae5a046511b437bd);
}

TEST(KlueMetricsGolden, Ynat) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/ynat.jsonl");
  for (const auto& line : test::json_lines(file)) {
    SCOPED_TRACE(line.at("name"));
    EXPECT_SAME_NUMBER(macro_f1(line.at("targets").get<Labels>(), line.at("preds").get<Labels>()),
                       golden_number(line.at("value")));
  }
}

TEST(KlueMetricsGolden, Nli) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/nli.jsonl");
  for (const auto& line : test::json_lines(file)) {
    if (!line.contains("preds")) continue;
    SCOPED_TRACE(line.at("name"));
    EXPECT_SAME_NUMBER(accuracy(line.at("targets").get<Labels>(), line.at("preds").get<Labels>()),
                       golden_number(line.at("value")));
  }
}

TEST(KlueMetricsGolden, NliOfTheDevSet) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/nli.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(dev_file, "data/corpora/klue-nli-v1.1_dev.json");
  Labels gold;
  for (const auto& example : test::json_of(dev_file)) {
    const std::string label = example.at("gold_label");
    gold.push_back(label == "entailment" ? 0 : label == "contradiction" ? 1 : 2);
  }
  for (const auto& line : test::json_lines(file)) {
    if (!line.contains("rule")) continue;
    SCOPED_TRACE(line.at("name"));
    Labels predictions = gold;
    for (std::size_t i = 0; i < gold.size(); ++i) {
      const std::uint64_t h = test::golden_random(line.at("seed"), i, 0);
      if (h % 1000 < line.at("permille"))
        predictions[i] = (gold[i] + 1 + static_cast<std::int32_t>(h / 1000 % 2)) % 3;
    }
    EXPECT_SAME_NUMBER(accuracy(gold, predictions), golden_number(line.at("value")));
  }
}

void expect_sts(const nlohmann::json& line, const std::vector<float>& gold,
                const std::vector<float>& predictions) {
  EXPECT_SAME_NUMBER(f1_at_3(gold, predictions), golden_number(line.at("f1")));
  if (line.contains("pearson_error")) {
    EXPECT_THROW(pearson(gold, predictions), UsageError);
    return;
  }
  // The linear-algebra library below the original sets its last digits.
  const double expected = golden_number(line.at("pearson"));
  if (std::isnan(expected))
    EXPECT_TRUE(std::isnan(pearson(gold, predictions)));
  else
    EXPECT_NEAR(pearson(gold, predictions), expected, 1e-11);
}

TEST(KlueMetricsGolden, Sts) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/sts.jsonl");
  for (const auto& line : test::json_lines(file)) {
    if (!line.contains("preds")) continue;
    SCOPED_TRACE(line.at("name"));
    expect_sts(line, test::golden_floats(line.at("labels")), test::golden_floats(line.at("preds")));
  }
}

TEST(KlueMetricsGolden, StsOfTheDevSet) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/sts.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(dev_file, "data/corpora/klue-sts-v1.1_dev.json");
  const auto examples = test::json_of(dev_file);
  for (const auto& line : test::json_lines(file)) {
    if (!line.contains("rule")) continue;
    SCOPED_TRACE(line.at("name"));
    std::vector<float> gold, predictions;
    for (const auto& example : examples) {
      const double label = example.at("labels").at("real-label");
      const std::uint64_t h = test::golden_random(line.at("seed"), gold.size(), 0);
      const double step = (static_cast<double>(h % 2001) - 1000) / 1000;
      predictions.push_back(static_cast<float>(label + line.at("amplitude").get<double>() * step));
      gold.push_back(static_cast<float>(label));
    }
    expect_sts(line, gold, predictions);
  }
}

TEST(KlueMetricsGolden, MicroF1) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/re.jsonl");
  for (const auto& line : test::json_lines(file)) {
    if (line.at("metric") != "micro_f1") continue;
    SCOPED_TRACE(line.at("name"));
    EXPECT_SAME_NUMBER(micro_f1(line.at("labels").get<Labels>(), line.at("preds").get<Labels>()),
                       golden_number(line.at("value")));
  }
}

TEST(KlueMetricsGolden, Auprc) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/re.jsonl");
  for (const auto& line : test::json_lines(file)) {
    const bool numerators = line.contains("probs_numerators");
    if (!numerators && !line.contains("probs")) continue;
    SCOPED_TRACE(line.at("name"));
    std::vector<float> probabilities;
    for (const auto& row : line.at(numerators ? "probs_numerators" : "probs"))
      for (const auto& value : row)
        probabilities.push_back(static_cast<float>(
            golden_number(value) / (numerators ? line.at("probs_denominator").get<double>() : 1)));
    const Labels gold = line.at("labels");
    if (line.contains("error"))
      EXPECT_THROW(auprc(gold, probabilities), UsageError);
    else
      EXPECT_SAME_NUMBER(auprc(gold, probabilities), golden_number(line.at("value")));
  }
}

TEST(KlueMetricsGolden, Ner) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/ner_metrics.jsonl");
  for (const auto& line : test::json_lines(file)) {
    SCOPED_TRACE(line.at("name"));
    const Labels gold = line.at("labels"), predictions = line.at("preds");
    EXPECT_SAME_NUMBER(entity_macro_f1(gold, predictions),
                       golden_number(line.at("entity_macro_f1")));
    EXPECT_SAME_NUMBER(character_macro_f1(gold, predictions),
                       golden_number(line.at("character_macro_f1")));
  }
}

TEST(KlueMetricsGolden, Answers) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/mrc_pairs.jsonl");
  for (const auto& line : test::json_lines(file)) {
    SCOPED_TRACE(line.dump());
    const std::vector<std::string> answers = line.at("answers");
    EXPECT_EQ(normalized_answer(line.at("prediction").get<std::string>()), line.at("normalized"));
    for (std::size_t i = 0; i < answers.size(); ++i)
      EXPECT_EQ(normalized_answer(answers[i]), line.at("normalized_answers").at(i));
    const AnswerScore score = answer_score(line.at("prediction").get<std::string>(), answers);
    EXPECT_SAME_NUMBER(score.exact_match, golden_number(line.at("em")));
    EXPECT_SAME_NUMBER(score.rouge_w, golden_number(line.at("rouge_w")));
  }
}

TEST(KlueMetricsGolden, AnswersOfASet) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/mrc_pairs.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(sets, "goldens/metrics/mrc_aggregates.json");
  std::vector<AnswerScore> all;
  for (const auto& line : test::json_lines(file))
    all.push_back(answer_score(line.at("prediction").get<std::string>(),
                               line.at("answers").get<std::vector<std::string>>()));
  for (const auto& set : test::json_of(sets)) {
    if (set.contains("without_prediction")) continue;
    SCOPED_TRACE(set.at("name"));
    std::vector<AnswerScore> scores;
    for (const std::size_t id : set.at("ids"))
      scores.push_back(all.at(id));
    const Labels types = set.at("question_types");
    if (set.contains("error")) {
      EXPECT_THROW(answer_scores(scores, types), UsageError);
      continue;
    }
    const AnswerScore score = answer_scores(scores, types);
    EXPECT_SAME_NUMBER(score.exact_match, golden_number(set.at("em")));
    EXPECT_SAME_NUMBER(score.rouge_w, golden_number(set.at("rouge_w")));
  }
}

}  // namespace
}  // namespace klue::metrics
