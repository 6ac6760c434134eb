#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/core/tensor.hpp>
#include <klue/core/texts.hpp>
#include <klue/model.hpp>

namespace klue {

/// What makes scores of logits.
enum class ScoreFunction : unsigned char {
  /// What the model's directory says. Of a classifier: none for problem_type "regression", sigmoid
  /// for "multi_label_classification" and for one label, else softmax.
  automatic,
  softmax,  ///< over the labels: they exclude each other
  sigmoid,  ///< of each label: every one is a question of its own
  none      ///< the logits themselves
};

/// A label with its score.
struct Label {
  std::string name;  ///< as config.json calls it
  double score = 0;  ///< as ClassifyOptions::activation makes it of the logit
};

/// How logits become labels.
struct ClassifyOptions {
  std::optional<std::size_t> top_k{};                   ///< of the best labels; unset: all
  ScoreFunction activation = ScoreFunction::automatic;  ///< automatic: as config.json says
  TextOptions text{};  ///< how texts are cut; unset: where the model ends
};

/// Texts and pairs to labels: RobertaForSequenceClassification, BertForSequenceClassification, and
/// the one Dense layer of a fine-tuned TF-Hub module.
///
///     const klue::Classifier classifier(klue::Model::load("my-ynat"));
///     classifier.classify("삼성전자, 3분기 영업이익 10조원 돌파")[0].name;   // "경제"
///
/// Answers as the text-classification pipeline of transformers does; docs/tasks.md has the rules.
/// Immutable: any number of threads may use one.
class KLUE_EXPORT Classifier {
 public:
  /// Shares the model. Throws UsageError where it has no such head, saying which it has, and
  /// FormatError where config.json names other labels than the head has rows, or none for some of
  /// them, or a problem_type that is none.
  explicit Classifier(Model model);

  /// The labels of each text or pair, best first, equals in the order of the labels. An empty
  /// text_pair is no pair. Throws UsageError for a length that cannot be kept.
  std::vector<std::vector<Label>> classify(const Texts& texts,
                                           const ClassifyOptions& options = {}) const;
  /// The same for one text or pair.
  template <detail::TextLike Text>
  std::vector<Label> classify(const Text& text, const ClassifyOptions& options = {}) const {
    return classify_one(text, options);
  }

  /// [texts, labels], in the order of `labels()`.
  Tensor logits(const Texts& texts, const TextOptions& options = {}) const;

  /// The labels of one row of logits, as `classify` gives them.
  std::vector<Label> decode(std::span<const float> logits,
                            const ClassifyOptions& options = {}) const;

  /// id2label of config.json; LABEL_0, LABEL_1, … where it names none.
  const std::vector<std::string>& labels() const noexcept { return labels_; }

  /// What ScoreFunction::automatic stands for.
  ScoreFunction activation() const noexcept { return activation_; }

  /// The model that this was made of.
  const Model& model() const noexcept { return model_; }

 private:
  std::vector<Label> classify_one(std::string_view text, const ClassifyOptions& options) const;

  Model model_;
  std::vector<std::string> labels_;
  ScoreFunction activation_;
};

}  // namespace klue
