#include <algorithm>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/model/detail/head.hpp>
#include <klue/task/classify.hpp>
#include <klue/task/detail/scores.hpp>
#include <klue/task/detail/token_head.hpp>

namespace klue {
namespace {

// TextClassificationPipeline.postprocess of transformers since 4.46.
ScoreFunction usual_function(const detail::HeadConfig& config, std::size_t labels) {
  const std::string& type = config.problem_type;
  if (type == "regression") return ScoreFunction::none;
  if (type == "multi_label_classification" || labels == 1) return ScoreFunction::sigmoid;
  if (type.empty() || type == "single_label_classification") return ScoreFunction::softmax;
  throw FormatError("this is no problem_type",
                    {.file = config.file.string(),
                     .field = "problem_type",
                     .expected = "regression, single_label_classification or "
                                 "multi_label_classification",
                     .actual = type});
}

/// An empty second text is none, as the pipeline's tokenizer has it.
std::vector<TextPair> without_empty_pairs(const Texts& texts) {
  std::vector<TextPair> result;
  result.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    result.push_back(texts[i]);
    if (result.back().text_pair && result.back().text_pair->empty())
      result.back().text_pair.reset();
  }
  return result;
}

}  // namespace

Classifier::Classifier(Model model) : model_(std::move(model)) {
  detail::require_task(model_, Task::classify);
  const std::size_t labels = model_.info().head->labels;
  labels_ = detail::head_labels(model_, labels);
  activation_ = usual_function(model_.head_config(), labels);
}

Tensor Classifier::logits(const Texts& texts, const TextOptions& options) const {
  return model_.classify(without_empty_pairs(texts), options);
}

std::vector<Label> Classifier::decode(std::span<const float> logits,
                                      const ClassifyOptions& options) const {
  if (logits.size() != labels_.size())
    throw UsageError("not the logits of this model",
                     {.field = "logits",
                      .expected = std::to_string(labels_.size()) + " numbers",
                      .actual = std::to_string(logits.size())});
  const std::vector<double> scores = detail::scores_of(
      logits, options.activation == ScoreFunction::automatic ? activation_ : options.activation);
  std::vector<Label> labels;
  for (const std::size_t i : detail::best_first(scores, options.top_k.value_or(scores.size())))
    labels.push_back({labels_[i], scores[i]});
  return labels;
}

std::vector<std::vector<Label>> Classifier::classify(const Texts& texts,
                                                     const ClassifyOptions& options) const {
  const Tensor all = logits(texts, options.text);
  std::vector<std::vector<Label>> result;
  result.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    result.push_back(decode(all.at(i), options));
  return result;
}

std::vector<Label> Classifier::classify_one(std::string_view text,
                                            const ClassifyOptions& options) const {
  return std::move(classify(Texts(text), options).front());
}

}  // namespace klue
