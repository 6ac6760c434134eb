#include <algorithm>
#include <array>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/model/detail/head.hpp>
#include <klue/task/detail/scores.hpp>
#include <klue/task/detail/token_head.hpp>
#include <klue/task/rank.hpp>
#include <klue/text/detail/python_string.hpp>

namespace klue {
namespace {

// CrossEncoder's default for one label, unless config.json names another function.
ScoreFunction cross_encoder_function(const detail::HeadConfig& config) {
  constexpr std::array<std::pair<std::string_view, ScoreFunction>, 2> kKnown{
      {{"torch.nn.modules.linear.Identity", ScoreFunction::none},
       {"torch.nn.modules.activation.Sigmoid", ScoreFunction::sigmoid}}};
  if (config.activation_function.empty()) return ScoreFunction::sigmoid;
  for (const auto& [name, function] : kKnown)
    if (config.activation_function == name) return function;
  throw UnsupportedError(
      "this activation is not supported",
      {.file = config.file.string(),
       .field = "sbert_ce_default_activation_function",
       .expected = std::string(kKnown[0].first) + " or " + std::string(kKnown[1].first),
       .actual = config.activation_function});
}

}  // namespace

Ranker::Ranker(Model model) : model_(std::move(model)) {
  detail::require_task(model_, Task::rank);
  activation_ = cross_encoder_function(model_.head_config());
}

std::vector<float> Ranker::logits(const Texts& pairs, const TextOptions& options) const {
  // CrossEncoder strips its texts.
  std::vector<TextPair> stripped;
  stripped.reserve(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!pairs[i].text_pair)
      throw UsageError("a text without one to compare it with",
                       {.field = "text " + std::to_string(i), .expected = "a pair of texts"});
    stripped.push_back(
        {detail::python_strip(pairs[i].text), detail::python_strip(*pairs[i].text_pair)});
  }
  const Tensor all = model_.classify(stripped, options);
  return {all.values().begin(), all.values().end()};
}

std::vector<double> Ranker::score(const Texts& pairs, const RankOptions& options) const {
  const std::vector<float> raw = logits(pairs, options.text);
  std::vector<double> scores(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i)
    scores[i] = detail::scores_of({&raw[i], 1}, options.activation == ScoreFunction::automatic
                                                    ? activation_
                                                    : options.activation)[0];
  return scores;
}

std::vector<RankedDocument> Ranker::rank(std::string_view query, const Texts& documents,
                                         const RankOptions& options) const {
  std::vector<TextPair> pairs;
  pairs.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i)
    pairs.push_back({query, documents[i].text});
  const std::vector<double> scores = score(pairs, options);
  std::vector<RankedDocument> ranking;
  for (const std::size_t i : detail::best_first(scores, options.top_k.value_or(scores.size())))
    ranking.push_back({i, scores[i]});
  return ranking;
}

}  // namespace klue
