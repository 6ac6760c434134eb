#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <klue/core/texts.hpp>
#include <klue/model.hpp>
#include <klue/task/classify.hpp>

namespace klue {

/// A document of a ranking.
struct RankedDocument {
  std::size_t index = 0;  ///< among the documents that were given
  double score = 0;       ///< as the model's activation makes it of the logit
};

/// What of a ranking is wanted.
struct RankOptions {
  std::optional<std::size_t> top_k{};  ///< of the best documents; unset: all
  /// Automatic: what config.json says for a CrossEncoder, else sigmoid.
  ScoreFunction activation = ScoreFunction::automatic;
  TextOptions text{};  ///< how pairs are cut; unset: longest_first, where the model ends
};

/// How well texts go together, by a model that reads both at once: the CrossEncoder of
/// sentence-transformers, a classifier with one logit.
///
///     const klue::Ranker ranker(klue::Model::load("my-reranker"));
///     for (const klue::RankedDocument& d : ranker.rank("한국의 수도는?", documents, {.top_k =
///     10}))
///       …
///
/// Immutable: any number of threads may use one.
class KLUE_EXPORT Ranker {
 public:
  /// Shares the model. Throws UsageError where it has no classifier, or one with several logits,
  /// saying what it has; UnsupportedError for an activation of config.json that is not known, by
  /// its name.
  explicit Ranker(Model model);

  /// The score of each pair, in the order given. Throws UsageError for a text without a pair.
  std::vector<double> score(const Texts& pairs, const RankOptions& options = {}) const;

  /// The documents of a query, best first, equals in the order given.
  std::vector<RankedDocument> rank(std::string_view query, const Texts& documents,
                                   const RankOptions& options = {}) const;

  /// One logit for each pair.
  std::vector<float> logits(const Texts& pairs, const TextOptions& options = {}) const;

  /// What ScoreFunction::automatic stands for.
  ScoreFunction activation() const noexcept { return activation_; }

  /// The model that this was made of.
  const Model& model() const noexcept { return model_; }

 private:
  Model model_;
  ScoreFunction activation_;
};

}  // namespace klue
