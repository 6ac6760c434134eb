#include "score.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include <klue/klue.hpp>
#include <klue/task/klue_metrics.hpp>

#include "prediction_set.hpp"

namespace evaluate {
namespace {

namespace metrics = klue::metrics;

// A score, or NaN and the reason why the original gives none.
template <class Metric>
void add_or_refuse(Scores& scores, const char* name, const Metric& metric) {
  try {
    scores.values.emplace_back(name, metric());
  } catch (const klue::UsageError& error) {
    scores.values.emplace_back(name, std::numeric_limits<double>::quiet_NaN());
    scores.refusal = error.what();
  }
}

using LabelMetric = double (*)(std::span<const std::int32_t>, std::span<const std::int32_t>);

Scores score_labels(const PredictionSet& set, std::int32_t labels,
                    std::initializer_list<std::pair<const char*, LabelMetric>> metrics_of_task) {
  const std::vector<std::int32_t> gold = set.labels("gold", 0, labels - 1);
  const std::vector<std::int32_t> predictions = set.labels("predictions", 0, labels - 1);
  set.check_length("predictions");
  Scores scores;
  for (const auto& [name, metric] : metrics_of_task)
    scores.values.emplace_back(name, metric(gold, predictions));
  return scores;
}

Scores score_similarities(const PredictionSet& set) {
  const std::vector<float> gold = set.numbers("gold"), predictions = set.numbers("predictions");
  set.check_length("predictions");
  Scores scores;
  add_or_refuse(scores, "pearson", [&] { return metrics::pearson(gold, predictions); });
  scores.values.emplace_back("f1", metrics::f1_at_3(gold, predictions));
  return scores;
}

Scores score_relations(const PredictionSet& set) {
  Scores scores;
  if (set.has("predictions") || !set.has("probabilities"))
    scores = score_labels(set, metrics::kReLabels, {{"micro_f1", metrics::micro_f1}});
  if (set.has("probabilities")) {
    const std::vector<std::int32_t> gold = set.labels("gold", 0, metrics::kReLabels - 1);
    const std::vector<float> probabilities = set.rows("probabilities", metrics::kReLabels);
    set.check_length("probabilities");
    add_or_refuse(scores, "auprc", [&] { return metrics::auprc(gold, probabilities); });
  }
  return scores;
}

metrics::AnswerScore score_all_answers(const PredictionSet& set) {
  const auto gold = set.lists_of_texts("gold");
  const auto predictions = set.texts("predictions");
  set.check_length("predictions");
  std::vector<std::int32_t> types;
  if (set.has("question_types")) {
    types = set.labels("question_types", std::numeric_limits<std::int32_t>::min(), 999);
    set.check_length("question_types");
  }
  std::vector<metrics::AnswerScore> scores;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    if (!predictions[i])
      throw klue::UsageError("no prediction", {.field = "predictions[" + std::to_string(i) + "]"});
    scores.push_back(metrics::answer_score(*predictions[i], gold[i]));
  }
  return metrics::answer_scores(scores, types);
}

Scores score_answers(const PredictionSet& set) {
  Scores scores;
  metrics::AnswerScore all{.exact_match = std::numeric_limits<double>::quiet_NaN(),
                           .rouge_w = std::numeric_limits<double>::quiet_NaN()};
  try {
    all = score_all_answers(set);
  } catch (const klue::UsageError& error) {
    scores.refusal = error.what();
  }
  scores.values = {{"em", all.exact_match}, {"rouge_w", all.rouge_w}};
  return scores;
}

}  // namespace

Scores score(Benchmark benchmark, const PredictionSet& set) {
  switch (benchmark) {
    case Benchmark::ynat:
      return score_labels(set, metrics::kYnatLabels, {{"macro_f1", metrics::macro_f1}});
    case Benchmark::nli:
      return score_labels(set, metrics::kNliLabels, {{"accuracy", metrics::accuracy}});
    case Benchmark::sts:
      return score_similarities(set);
    case Benchmark::ner:
      return score_labels(set, metrics::kNerLabels,
                          {{"entity_macro_f1", metrics::entity_macro_f1},
                           {"character_macro_f1", metrics::character_macro_f1}});
    case Benchmark::re:
      return score_relations(set);
    case Benchmark::mrc:
      return score_answers(set);
  }
  return {};
}

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 40> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value, std::chars_format::general,
                                 std::numeric_limits<double>::max_digits10)
                       .ptr;
  return {digits.begin(), end};
}

bool score_lines(Benchmark benchmark, std::istream& in, const std::string& file, std::ostream& out,
                 std::ostream& err) {
  bool all = true;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    if (number++ == 0 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // byte order mark
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const std::string place = "line " + std::to_string(number);
    const PredictionSet set(line, file, place);
    const Scores scores = score(benchmark, set);
    out << "{\"name\": " << set.name();
    for (const auto& [name, value] : scores.values)
      out << ", \"" << name << "\": " << json_number(value);
    if (scores.refusal) {
      out << ", \"error\": " << nlohmann::json(*scores.refusal).dump();
      err << KLUE_PROGRAM ": " << file << ": " << place << ": " << *scores.refusal << "\n";
      all = false;
    }
    out << "}\n";
  }
  if (in.bad()) throw klue::IoError("cannot read on", {.file = file});
  return all;
}

}  // namespace evaluate
