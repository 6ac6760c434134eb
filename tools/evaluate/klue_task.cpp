#include "klue_task.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <klue/task/klue_mrc.hpp>

#include "klue_files.hpp"
#include "pairs.hpp"

namespace evaluate {
namespace {

namespace baseline = klue::baseline;
using baseline::ModelInput;
using baseline::Runner;
using nlohmann::json;

/// What the library refuses about one example becomes an error of the file.
template <class Work>
auto at_place(const std::string& file, const std::string& place, const Work& work) {
  try {
    return work();
  } catch (const klue::UsageError& error) {
    throw klue::FormatError(error.what(), {.file = file, .field = place});
  }
}

std::string entry(std::size_t index) {
  return "entry " + std::to_string(index + 1);
}

json best_labels(const klue::Tensor& logits) {
  json labels = json::array();
  for (std::size_t i = 0; i < logits.shape()[0]; ++i)
    labels.push_back(baseline::best_label(logits.at(i)));
  return labels;
}

PredictedSet predict_texts(const Runner& runner, const std::vector<LabelledText>& examples,
                           std::size_t max_length) {
  json gold = json::array();
  std::vector<ModelInput> inputs;
  for (const LabelledText& example : examples) {
    inputs.push_back(
        baseline::text_input(runner.tokenizer(), example.text, example.pair, max_length));
    gold.push_back(example.label);
  }
  return {examples.size(),
          {{"gold", std::move(gold)}, {"predictions", best_labels(runner.logits(inputs))}}};
}

PredictedSet predict_similarities(const Runner& runner, const Pairs& pairs,
                                  std::size_t max_length) {
  json gold = json::array(), predictions = json::array();
  std::vector<ModelInput> inputs;
  for (std::size_t i = 0; i < pairs.scores.size(); ++i) {
    inputs.push_back(
        baseline::text_input(runner.tokenizer(), pairs.first[i], pairs.second[i], max_length));
    gold.push_back(pairs.scores[i]);
  }
  const klue::Tensor logits = runner.logits(inputs);
  for (const float logit : logits.values())
    predictions.push_back(logit);
  return {inputs.size(), {{"gold", std::move(gold)}, {"predictions", std::move(predictions)}}};
}

PredictedSet predict_relations(const Runner& runner, const std::string& file,
                               std::size_t max_length) {
  const std::vector<RelationExample> examples = read_re(file);
  if (examples.size() < 5)  // the original logs the first five
    throw klue::FormatError(
        "KLUE's baseline cannot take so few examples",
        {.file = file, .expected = "5 or more", .actual = std::to_string(examples.size())});
  json gold = json::array(), probabilities = json::array();
  std::vector<ModelInput> inputs;
  for (const RelationExample& example : examples) {
    inputs.push_back({at_place(file, entry(inputs.size()), [&] {
      return baseline::re_input(runner.tokenizer(), example.sentence, example.subject,
                                example.object, max_length)
          .ids;
    })});
    gold.push_back(example.label);
  }
  const klue::Tensor logits = runner.logits(inputs);
  for (std::size_t i = 0; i < examples.size(); ++i)
    probabilities.push_back(baseline::softmax(logits.at(i)));
  return {examples.size(),
          {{"gold", std::move(gold)},
           {"predictions", best_labels(logits)},
           {"probabilities", std::move(probabilities)}}};
}

PredictedSet predict_entities(const Runner& runner, const std::string& file,
                              std::size_t max_length) {
  const std::vector<baseline::NerSentence> sentences = read_ner(file);
  std::vector<std::vector<baseline::NerWord>> words;
  std::vector<ModelInput> inputs;
  for (const baseline::NerSentence& sentence : sentences) {
    words.push_back(baseline::ner_words(runner.tokenizer(), sentence.text));
    inputs.push_back({baseline::ner_input_ids(runner.tokenizer(), words.back(), max_length)});
  }
  std::vector<std::vector<std::int32_t>> predictions(sentences.size());
  runner.token_logits(inputs, max_length, [&](std::size_t i, const klue::Tensor& logits) {
    std::vector<std::int32_t> row;
    for (std::size_t place = 0; place < max_length; ++place)
      row.push_back(static_cast<std::int32_t>(baseline::best_label(logits.at(place))));
    predictions[i] = at_place(file, sentences[i].name,
                              [&] { return baseline::ner_character_predictions(words[i], row); });
  });
  json all_gold = json::array(), all_predictions = json::array();
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const std::vector<std::int32_t> gold = at_place(file, sentences[i].name, [&] {
      return baseline::ner_character_gold(sentences[i].labels, predictions[i].size());
    });
    for (const std::int32_t label : gold)
      all_gold.push_back(label);
    for (const std::int32_t label : predictions[i])
      all_predictions.push_back(label);
  }
  return {sentences.size(),
          {{"gold", std::move(all_gold)}, {"predictions", std::move(all_predictions)}}};
}

PredictedSet predict_answers(const Runner& runner, const std::string& file,
                             std::size_t max_length) {
  const baseline::MrcOptions options{.max_seq_length = max_length};
  json gold = json::array(), predictions = json::array(), types = json::array();
  for (const ReadingExample& example : read_mrc(file)) {
    const baseline::MrcAnswer answer = at_place(file, example.id, [&] {
      const baseline::MrcDocument document =
          baseline::mrc_document(runner.tokenizer(), example.question, example.context, options);
      std::vector<ModelInput> inputs;
      for (const baseline::MrcWindow& window : document.windows)
        inputs.push_back({.ids = window.ids, .second_segment = window.context_at});
      std::vector<baseline::MrcLogits> logits(inputs.size());
      runner.token_logits(inputs, max_length, [&](std::size_t w, const klue::Tensor& values) {
        for (std::size_t place = 0; place < max_length; ++place) {
          logits[w].start.push_back(values.at(place)[0]);
          logits[w].end.push_back(values.at(place)[1]);
        }
      });
      return baseline::mrc_answer(document, logits, options);
    });
    gold.push_back(example.answers);
    predictions.push_back(answer.text);
    types.push_back(example.type);
  }
  return {types.size(),
          {{"gold", std::move(gold)},
           {"predictions", std::move(predictions)},
           {"question_types", types}}};
}

}  // namespace

PredictedSet predict(const Runner& runner, const std::string& file,
                     std::optional<std::size_t> max_length) {
  const std::size_t length = max_length.value_or(runner.max_seq_length());
  switch (runner.benchmark()) {
    case baseline::Benchmark::ynat:
      return predict_texts(runner, read_ynat(file), length);
    case baseline::Benchmark::nli:
      return predict_texts(runner, read_nli(file), length);
    case baseline::Benchmark::sts:
      return predict_similarities(runner, read_pairs(file), length);
    case baseline::Benchmark::ner:
      return predict_entities(runner, file, length);
    case baseline::Benchmark::re:
      return predict_relations(runner, file, length);
    case baseline::Benchmark::mrc:
      return predict_answers(runner, file, length);
  }
  return {};
}

}  // namespace evaluate
