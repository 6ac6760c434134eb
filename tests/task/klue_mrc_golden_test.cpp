// Windows and answers of transformers 3.5.1 with KLUE-baseline's settings.

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/task/klue_metrics.hpp>
#include <klue/task/klue_mrc.hpp>

#include "shared_data.hpp"
#include "task/klue_goldens.hpp"

namespace klue::baseline {
namespace {

using Numbers = std::vector<std::size_t>;

struct Example {
  std::string id, question, context;
  std::vector<std::string> answers;
  std::size_t answer_start = 0;
  std::int32_t type = 1;
  MrcDocument document;
};

std::vector<Example> read_examples(const Tokenizer& tokenizer, const std::filesystem::path& file) {
  std::vector<Example> examples;
  const nlohmann::json root = test::json_of(file);
  for (const auto& entry : root.at("data"))
    for (const auto& paragraph : entry.at("paragraphs"))
      for (const auto& question : paragraph.at("qas")) {
        Example& example = examples.emplace_back();
        example.id = question.at("guid");
        example.question = question.at("question");
        example.context = paragraph.at("context");
        example.type = question.at("question_type");
        for (const auto& answer : question.at("answers"))
          example.answers.push_back(answer.at("text"));
        if (!example.answers.empty())
          example.answer_start = question.at("answers")[0].at("answer_start");
        example.document = mrc_document(tokenizer, example.question, example.context);
      }
  return examples;
}

TEST(KlueMrcGolden, Windows) {
  KLUE_SHARED_DATA_OR_SKIP(directory, "data/klue");
  KLUE_SHARED_DATA_OR_SKIP(examples_file, "goldens/metrics/mrc_examples.json");
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/mrc_features.jsonl");
  const Tokenizer tokenizer = Tokenizer::load(directory);
  const auto examples = read_examples(tokenizer, examples_file);
  std::map<std::string, const Example*> by_id;
  std::size_t windows = 0;
  for (const Example& example : examples) {
    by_id[example.id] = &example;
    windows += example.document.windows.size();
  }
  const auto features = test::json_lines(file);
  EXPECT_EQ(windows, features.size());
  for (const auto& feature : features) {
    SCOPED_TRACE(feature.at("feature"));
    const Example& example = *by_id.at(feature.at("qas_id"));
    const std::size_t index = feature.at("window");
    const MrcWindow& window = example.document.windows.at(index);
    EXPECT_EQ(window.ids, feature.at("input_ids").get<std::vector<std::int32_t>>());
    EXPECT_EQ(window.context_at, feature.at("context_at"));
    Numbers words;
    std::string max_context;
    for (std::size_t i = 0; i < window.tokens; ++i) {
      words.push_back(example.document.word_of.at(window.first_token + i));
      max_context.push_back(window.max_context.at(i) ? '1' : '0');
    }
    EXPECT_EQ(words, feature.at("word_of_token").get<Numbers>());
    EXPECT_EQ(max_context, feature.at("max_context"));
    if (feature.contains("doc_words")) {
      EXPECT_EQ(example.document.words.size(), feature.at("doc_words"));
    }

    const auto targets = mrc_targets(tokenizer, example.document, example.context,
                                     example.answers.empty()
                                         ? std::nullopt
                                         : std::optional<std::string_view>(example.answers.front()),
                                     example.answer_start);
    const auto& expected = feature.at("train_start_end_impossible");
    EXPECT_EQ(targets.has_value(), !expected.is_string());
    if (targets && !expected.is_string()) {
      EXPECT_EQ(targets->at(index),
                (MrcTarget{expected[0], expected[1], expected[2].get<int>() == 1}));
    }
  }
}

// The logits of all windows that a rule of the goldens makes.
std::vector<MrcLogits> made_logits(const nlohmann::json& rule, std::size_t windows) {
  std::vector<MrcLogits> all(windows);
  const std::uint64_t seed = rule.at("seed");
  const double noise = rule.at("noise");
  for (std::size_t w = 0; w < windows; ++w)
    for (std::size_t place = 0; place < 510; ++place)
      for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
        const auto h = static_cast<double>(test::golden_random(seed, 2 * w + end, place) % 2001);
        (end == 1 ? all[w].end : all[w].start)
            .push_back(noise == 0 ? 0 : static_cast<float>((h - 1000) / noise));
      }
  for (const auto& set : rule.at("set"))
    for (std::size_t w = 0; w < windows; ++w)
      if (set[0] == -1 || set[0] == w)
        (set[1] == 1 ? all[w].end : all[w].start).at(set[2]) = set[3];
  return all;
}

void expect_candidates(const std::vector<MrcCandidate>& found, const nlohmann::json& expected) {
  ASSERT_GE(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i].text, expected[i][0]);
    EXPECT_EQ(found[i].start_logit, expected[i][1].get<double>());
    EXPECT_EQ(found[i].end_logit, expected[i][2].get<double>());
  }
}

TEST(KlueMrcGolden, Predictions) {
  KLUE_SHARED_DATA_OR_SKIP(directory, "data/klue");
  KLUE_SHARED_DATA_OR_SKIP(examples_file, "goldens/metrics/mrc_examples.json");
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/mrc_predictions.jsonl");
  const Tokenizer tokenizer = Tokenizer::load(directory);
  const auto examples = read_examples(tokenizer, examples_file);
  for (const auto& line : test::json_lines(file)) {
    const auto logits = made_logits(line.at("rule"), 31);
    std::size_t window = 0;
    std::vector<metrics::AnswerScore> scores;
    std::vector<std::int32_t> types;
    for (const Example& example : examples) {
      SCOPED_TRACE(line.at("name").get<std::string>() + " " + example.id);
      const std::size_t count = example.document.windows.size();
      const MrcAnswer answer =
          mrc_answer(example.document, std::span(logits).subspan(window, count));
      window += count;
      EXPECT_EQ(answer.text, line.at("predictions").at(example.id));
      EXPECT_EQ(answer.score_diff, line.at("score_diff").at(example.id).get<double>());
      if (line.at("nbest").contains(example.id))
        expect_candidates(answer.best, line.at("nbest").at(example.id));
      scores.push_back(metrics::answer_score(answer.text, example.answers));
      types.push_back(example.type);
    }
    const metrics::AnswerScore all = metrics::answer_scores(scores, types);
    EXPECT_EQ(all.exact_match, test::golden_number(line.at("em")));
    EXPECT_EQ(all.rouge_w, test::golden_number(line.at("rouge_w")));
  }
}

}  // namespace
}  // namespace klue::baseline
