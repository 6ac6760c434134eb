// The tasks against the original pipelines, text in and answers out: logits within 2e-5, every
// decoded result equal, scores within 1e-5. README.md beside the goldens says where they are from.

#include "task/golden.hpp"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace klue {
namespace {

using test::GoldenLogits;
using test::GoldenModels;
using test::Json;
using testing::ElementsAreArray;

constexpr double kScores = 1e-5;

template <class T>
std::optional<T> optional_value(const Json& params, const char* key) {
  if (!params.contains(key) || params[key].is_null()) return std::nullopt;
  return params[key].get<T>();
}

void expect_place(const Offset& bytes, const Offset& code_points, const Json& golden) {
  EXPECT_EQ(bytes.begin, golden["start_byte"]);
  EXPECT_EQ(bytes.end, golden["end_byte"]);
  EXPECT_EQ(code_points.begin, golden["start"]);
  EXPECT_EQ(code_points.end, golden["end"]);
}

// ---------------------------------------------------------------------------------------- tag

TagOptions tag_options(const Json& params) {
  const std::map<std::string, Aggregation> names{{"none", Aggregation::none},
                                                 {"simple", Aggregation::simple},
                                                 {"first", Aggregation::first},
                                                 {"average", Aggregation::average},
                                                 {"max", Aggregation::max}};
  return {.aggregation = names.at(params["aggregation_strategy"]),
          .ignore_labels = params["ignore_labels"].get<std::vector<std::string>>(),
          .max_length = optional_value<std::size_t>(params, "model_max_length"),
          .stride = optional_value<std::size_t>(params, "stride")};
}

void expect_windows(const Tagger& tagger, const Json& golden, GoldenLogits& logits) {
  const std::string text = golden["text"];
  const auto windows = tagger.logits(text, tag_options(golden["runs"][0]["params"]));
  ASSERT_EQ(windows.size(), golden["windows"].size());
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const Json& window = golden["windows"][w];
    EXPECT_THAT(windows[w].encoding.ids,
                ElementsAreArray(window["input_ids"].get<std::vector<std::int32_t>>()));
    if (window.contains("offsets")) {
      std::vector<Offset> offsets;
      for (const Json& offset : window["offsets"])
        offsets.push_back({offset[0], offset[1]});
      EXPECT_EQ(to_code_points(text, windows[w].encoding.offsets), offsets);
    }
    logits.expect_near(golden["model"], window["rows"][0], windows[w].logits.values(),
                       tagger.labels().size());
  }
}

TEST(Golden, Tag) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/heads/token_classification.jsonl");
  GoldenModels<Tagger> models;
  GoldenLogits logits(file.parent_path());
  std::size_t compared = 0;
  for (const Json& golden : test::read_jsonl(file)) {
    SCOPED_TRACE(golden["id"]);
    const Tagger& tagger = models.of(golden);
    expect_windows(tagger, golden, logits);
    for (const Json& run : golden["runs"]) {
      SCOPED_TRACE(run["params"].dump());
      const TagOptions options = tag_options(run["params"]);
      const auto ours = tagger.tag(golden["text"].get<std::string>(), options);
      ASSERT_EQ(ours.size(), run["entities"].size());
      const char* const key = options.aggregation == Aggregation::none ? "entity" : "entity_group";
      for (std::size_t i = 0; i < ours.size(); ++i) {
        const Json& theirs = run["entities"][i];
        EXPECT_EQ(ours[i].label, theirs[key]);
        EXPECT_EQ(ours[i].word, theirs["word"]);
        EXPECT_NEAR(ours[i].score, theirs["score"].get<double>(), kScores);
        expect_place(ours[i].offset, ours[i].code_points, theirs);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, test::is_sample(file) ? 34u : 311u);
}

// ------------------------------------------------------------------------------------- answer

AnswerOptions answer_options(const Json& params) {
  AnswerOptions options{.top_k = params["top_k"],
                        .max_length = optional_value<std::size_t>(params, "max_seq_len"),
                        .stride = optional_value<std::size_t>(params, "doc_stride"),
                        .no_answer = params.value("handle_impossible_answer", false),
                        .align_words = params.value("align_to_words", true)};
  options.max_answer_length = params.value("max_answer_len", options.max_answer_length);
  return options;
}

void expect_window_sets(const Answerer& answerer, const Json& golden, GoldenLogits& logits) {
  for (const Json& set : golden["window_sets"]) {
    const auto windows =
        answerer.logits(golden["question"].get<std::string>(), golden["context"].get<std::string>(),
                        {.max_length = set["max_seq_len"].get<std::size_t>(),
                         .stride = set["doc_stride"].get<std::size_t>()});
    ASSERT_EQ(windows.size(), set["windows"].size());
    for (std::size_t w = 0; w < windows.size(); ++w) {
      EXPECT_THAT(
          windows[w].encoding.ids,
          ElementsAreArray(set["windows"][w]["input_ids"].get<std::vector<std::int32_t>>()));
      logits.expect_near(golden["model"], set["windows"][w]["rows"][0], windows[w].logits.values(),
                         2);
    }
  }
}

TEST(Golden, Answer) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/heads/question_answering.jsonl");
  GoldenModels<Answerer> models;
  GoldenLogits logits(file.parent_path());
  std::size_t compared = 0;
  for (const Json& golden : test::read_jsonl(file)) {
    SCOPED_TRACE(golden["id"]);
    const Answerer& answerer = models.of(golden);
    expect_window_sets(answerer, golden, logits);
    for (const Json& run : golden["runs"]) {
      SCOPED_TRACE(run["params"].dump());
      const Answers ours =
          answerer.answer(golden["question"].get<std::string>(),
                          golden["context"].get<std::string>(), answer_options(run["params"]));
      const Json& theirs = run["answers_merged"] == "same" ? run["answers"] : run["answers_merged"];
      ASSERT_EQ(ours.best.size(), theirs.size());
      for (std::size_t i = 0; i < ours.best.size(); ++i) {
        EXPECT_EQ(ours.best[i].text, theirs[i]["answer"]);
        EXPECT_NEAR(ours.best[i].score, theirs[i]["score"].get<double>(), kScores);
        expect_place(ours.best[i].offset, ours.best[i].code_points, theirs[i]);
      }
      if (run.contains("null_score")) {
        EXPECT_NEAR(ours.null_score, run["null_score"].get<double>(), kScores);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, test::is_sample(file) ? 24u : 200u);
}

// ---------------------------------------------------------------------------------- fill-mask

void expect_logits(std::span<const float> ours, const Json& theirs) {
  double sum = 0, absolute = 0, exponentials = 0;
  for (const float x : ours) {
    const double value = static_cast<double>(x);
    sum += value;
    absolute += std::abs(value);
    exponentials += std::exp(value);
  }
  for (const Json& top : theirs["top"])
    EXPECT_NEAR(static_cast<double>(ours[top[0].get<std::size_t>()]), top[1].get<double>(), 2e-5);
  EXPECT_NEAR(std::log(exponentials), theirs["log_sum_exp"].get<double>(), 2e-5);
  const double all = 1e-5 * static_cast<double>(ours.size());
  EXPECT_NEAR(sum, theirs["sum"].get<double>(), all);
  EXPECT_NEAR(absolute, theirs["sum_abs"].get<double>(), all);
}

void expect_fillings(const std::vector<Filling>& ours, const Json& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double score = theirs[i]["score"];
    EXPECT_EQ(ours[i].token, theirs[i]["token"]);
    EXPECT_EQ(ours[i].token_text, theirs[i]["token_str"]);
    EXPECT_EQ(ours[i].sequence, theirs[i]["sequence"]);
    EXPECT_NEAR(ours[i].score, score, 1e-4 * score);
  }
}

TEST(Golden, FillMask) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/heads/fill_mask.jsonl");
  GoldenModels<MaskFiller> models;
  const test::NpyArray rows = test::read_npy(file.parent_path() / "mlm.logits.npy");
  std::size_t compared = 0;
  for (const Json& golden : test::read_jsonl(file)) {
    SCOPED_TRACE(golden["id"]);
    const MaskFiller& filler = models.of(golden);
    const std::string text = golden["text"];
    const MaskLogits logits = filler.logits(text);
    EXPECT_THAT(logits.positions,
                ElementsAreArray(golden["mask_positions"].get<std::vector<std::size_t>>()));
    for (std::size_t mask = 0; mask < logits.positions.size(); ++mask)
      expect_logits(logits.logits.at(mask), golden["logits"][mask]);
    if (golden.contains("full_logits_rows")) {
      const std::size_t row = golden["full_logits_rows"][0], columns = rows.shape[1];
      for (std::size_t i = 0; i < columns; ++i)
        ASSERT_NEAR(static_cast<double>(logits.logits.at(0)[i]), rows.values[row * columns + i],
                    2e-5);
    }
    for (const Json& run : golden["runs"]) {
      SCOPED_TRACE(run["params"].dump());
      FillMaskOptions options;
      options.top_k = run["params"].value("top_k", options.top_k);
      options.targets = run["params"].value("targets", options.targets);
      const auto ours = filler.fill(text, options);
      ASSERT_EQ(ours.size(), run["masks"].size());
      for (std::size_t mask = 0; mask < ours.size(); ++mask)
        expect_fillings(ours[mask], run["masks"][mask]);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 37u);
}

// ----------------------------------------------------------------------------- classify, rank

ScoreFunction score_function(const Json& params) {
  const std::string name = params.value("function_to_apply", "auto");
  if (name == "softmax") return ScoreFunction::softmax;
  if (name == "sigmoid") return ScoreFunction::sigmoid;
  return name == "none" ? ScoreFunction::none : ScoreFunction::automatic;
}

std::vector<TextPair> text_of(const Json& golden) {
  std::vector<TextPair> texts{{golden["text"].get_ref<const std::string&>()}};
  if (golden.contains("text_pair"))
    texts[0].text_pair = golden["text_pair"].get_ref<const std::string&>();
  return texts;
}

TEST(Golden, Classify) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/heads/text_classification.jsonl");
  GoldenModels<Classifier> models;
  GoldenLogits logits(file.parent_path());
  std::size_t compared = 0;
  for (const Json& golden : test::read_jsonl(file)) {
    SCOPED_TRACE(golden["id"]);
    const Classifier& classifier = models.of(golden);
    const std::vector<TextPair> texts = text_of(golden);
    const Json& first = golden["runs"][0]["params"];
    logits.expect_near(
        golden["model"], golden["row"],
        classifier.logits(texts, {.max_length = optional_value<std::size_t>(first, "max_length")})
            .values(),
        classifier.labels().size());
    for (const Json& run : golden["runs"]) {
      const Json& params = run["params"];
      SCOPED_TRACE(params.dump());
      const auto ours = classifier.classify(
          texts, {.top_k = optional_value<std::size_t>(params, "top_k"),
                  .activation = score_function(params),
                  .text = {.max_length = optional_value<std::size_t>(params, "max_length")}})[0];
      const Json& theirs = run.contains("labels_4_57") ? run["labels_4_57"] : run["labels"];
      ASSERT_EQ(ours.size(), theirs.size());
      for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_EQ(ours[i].name, theirs[i]["label"]);
        EXPECT_NEAR(ours[i].score, theirs[i]["score"].get<double>(), kScores);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 87u);
}

TEST(Golden, Rank) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/heads/cross_encoder.jsonl");
  GoldenModels<Ranker> rankers;
  GoldenModels<Classifier> classifiers;  // for what gives several scores a pair
  std::size_t compared = 0;
  for (const Json& golden : test::read_jsonl(file)) {
    SCOPED_TRACE(golden["id"]);
    const std::vector<TextPair> pairs = text_of(golden);
    const TextOptions text{.max_length = optional_value<std::size_t>(golden, "max_length")};
    const auto theirs = golden["scores"].get<std::vector<double>>();
    if (theirs.size() == 1) {
      const Ranker& ranker = rankers.of(golden);
      EXPECT_NEAR(static_cast<double>(ranker.logits(pairs, text)[0]),
                  golden["logits"][0].get<double>(), 2e-5);
      EXPECT_NEAR(ranker.score(pairs, {.text = text})[0], theirs[0], kScores);
    } else {
      const Classifier& classifier = classifiers.of(golden);
      const bool softmax = golden["activation"] == "softmax";
      const auto labels = classifier.classify(
          pairs, {.activation = softmax ? ScoreFunction::softmax : ScoreFunction::none});
      for (const Label& label : labels[0]) {
        const auto at = std::ranges::find(classifier.labels(), label.name);
        EXPECT_NEAR(label.score, theirs[static_cast<std::size_t>(at - classifier.labels().begin())],
                    kScores);
      }
    }
    ++compared;
  }
  EXPECT_EQ(compared, 23u);
}

}  // namespace
}  // namespace klue
