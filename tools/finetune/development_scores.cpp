#include "development_scores.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include <klue/core/error.hpp>

namespace finetune {

using klue::FormatError;
using klue::train::Example;
using klue::train::Head;
using klue::train::Objective;

namespace {

// Tokens that are computed together.
constexpr std::size_t kTokensOfABatch = 2048;

// The network's scores of every example, in their order: rows × columns numbers each.
std::vector<std::vector<float>> predict_all(klue::train::Network<float>& network, const Plan& plan,
                                            const Dataset& data) {
  std::vector<std::size_t> order(data.examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return data.examples[a].ids.size() > data.examples[b].ids.size();
  });
  std::vector<std::vector<float>> all(data.examples.size());
  for (std::size_t first = 0; first < order.size();) {
    std::vector<const Example*> part;
    std::size_t tokens = 0, end = first;
    while (end < order.size() && (end == first || tokens < kTokensOfABatch)) {
      part.push_back(&data.examples[order[end]]);
      tokens += part.back()->ids.size() + part.back()->second.size();
      ++end;
    }
    const klue::train::Batch batch =
        klue::train::make_batch(plan.network.encoder, plan.objective, part);
    const auto scores = network.predict(batch);
    auto from = scores.values.begin();
    for (std::size_t i = 0; i < part.size(); ++i) {
      std::size_t rows = 1;
      if (plan.network.head == Head::tokens || plan.network.head == Head::span)
        rows = part[i]->ids.size();
      if (plan.network.head == Head::embedding) rows = 2;
      const auto to = from + static_cast<std::ptrdiff_t>(rows * scores.columns);
      all[order[first + i]].assign(from, to);
      from = to;
    }
    first = end;
  }
  return all;
}

std::size_t best_of(const float* row, std::size_t count) {
  return static_cast<std::size_t>(std::max_element(row, row + count) - row);
}

std::vector<Score> classification_scores(const Plan& plan, const Dataset& data,
                                         const std::vector<std::vector<float>>& logits) {
  if (plan.objective == Objective::binary_cross_entropy) {
    double right = 0, guessed = 0, there = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
      for (std::size_t l = 0; l < logits[i].size(); ++l) {
        const bool guess = logits[i][l] > 0, truth = data.examples[i].values[l] > 0.5;
        right += guess && truth;
        guessed += guess;
        there += truth;
      }
    return {{"micro F1", guessed + there == 0 ? 100 : 200 * right / (guessed + there)}};
  }
  std::vector<std::size_t> guesses, labels;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    guesses.push_back(best_of(logits[i].data(), logits[i].size()));
    labels.push_back(static_cast<std::size_t>(data.examples[i].label));
  }
  return {{"accuracy", accuracy(guesses, labels)},
          {"macro F1", macro_f1(guesses, labels, plan.labels.size())}};
}

std::vector<Score> tag_scores(const Plan& plan, const Dataset& data,
                              const std::vector<std::vector<float>>& logits) {
  std::vector<std::vector<std::string>> guesses, tags;
  std::vector<std::size_t> guessed, right;
  const std::size_t labels = plan.labels.size();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    guesses.emplace_back();
    tags.emplace_back();
    for (const std::size_t token : data.origins[i].places) {
      guessed.push_back(best_of(logits[i].data() + token * labels, labels));
      right.push_back(static_cast<std::size_t>(data.examples[i].classes[token]));
      guesses.back().push_back(plan.labels[guessed.back()]);
      tags.back().push_back(plan.labels[right.back()]);
    }
  }
  return {{"entity F1", entity_f1(guesses, tags)}, {"accuracy", accuracy(guessed, right)}};
}

double cosine(const float* a, const float* b, std::size_t count) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

std::vector<Score> value_scores(const Plan& plan, const Dataset& data,
                                const std::vector<std::vector<float>>& outputs) {
  std::vector<double> ours, theirs;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::size_t half = outputs[i].size() / 2;
    ours.push_back(plan.task == Task::embed
                       ? cosine(outputs[i].data(), outputs[i].data() + half, half)
                       : static_cast<double>(outputs[i].front()));
    if (data.examples[i].values.empty())
      throw FormatError("development data without scores",
                        {.file = data.records[data.origins[i].record].place});
    theirs.push_back(data.examples[i].values.front());
  }
  if (plan.task == Task::rank) return {{"average precision", average_precision(ours, theirs)}};
  if (plan.task == Task::embed)
    return {{"Spearman", spearman(ours, theirs)}, {"Pearson", pearson(ours, theirs)}};
  return {{"Pearson", pearson(ours, theirs)}, {"Spearman", spearman(ours, theirs)}};
}

// The span with the highest sum of its ends, over all windows of a question, against [CLS].
struct BestSpan {
  float score = 0, none = 0;
  klue::Offset bytes{};
  bool any = false;
};

constexpr std::size_t kLongestAnswer = 50;  // tokens

void consider_window(const std::vector<float>& logits, const Origin& origin, BestSpan& best) {
  const float none = logits[0] + logits[1];
  if (!best.any || none < best.none) best.none = none;
  for (std::size_t start = 1; start < origin.offsets.size(); ++start) {
    if (origin.offsets[start].end == 0) continue;
    const std::size_t last = std::min(origin.offsets.size(), start + kLongestAnswer);
    for (std::size_t end = start; end < last && origin.offsets[end].end != 0; ++end) {
      const float score = logits[2 * start] + logits[2 * end + 1];
      if (best.any && score <= best.score) continue;
      best.any = true;
      best.score = score;
      best.bytes = {origin.offsets[start].begin, origin.offsets[end].end};
    }
  }
}

std::vector<Score> answer_scores(const Dataset& data,
                                 const std::vector<std::vector<float>>& logits) {
  std::vector<BestSpan> best(data.records.size());
  for (std::size_t i = 0; i < logits.size(); ++i)
    consider_window(logits[i], data.origins[i], best[data.origins[i].record]);
  double exact = 0, f1 = 0;
  for (std::size_t r = 0; r < data.records.size(); ++r) {
    const Record& record = data.records[r];
    std::string guess;
    if (best[r].any && best[r].score > best[r].none)
      guess = record.pair->substr(best[r].bytes.begin, best[r].bytes.end - best[r].bytes.begin);
    double right = record.answers.empty() && guess.empty(), close = right * 100;
    for (const Answer& answer : record.answers) {
      right = std::max(right, guess == answer.text ? 1.0 : 0.0);
      close = std::max(close, character_f1(guess, answer.text));
    }
    exact += right;
    f1 += close;
  }
  const double count = static_cast<double>(data.records.size());
  return {{"exact match", 100 * exact / count}, {"character F1", f1 / count}};
}

}  // namespace

std::vector<Score> evaluate(klue::train::Network<float>& network, const Plan& plan,
                            const Dataset& data, const klue::train::Masking& masking,
                            std::span<const std::int32_t> special) {
  if (plan.task == Task::mlm) {
    double loss = 0, pieces = 0;
    for (std::size_t i = 0; i < data.examples.size(); ++i) {
      // The same pieces every time.
      const Example example = klue::train::masked(data.examples[i], masking, special, i);
      const Example* one[] = {&example};
      const auto batch = klue::train::make_batch(plan.network.encoder, plan.objective, one);
      const double terms = klue::train::count_terms(plan.objective, batch, 0);
      if (terms == 0) continue;
      loss += network.loss(batch, plan.objective) * terms;
      pieces += terms;
    }
    return {{"minus loss", -loss / pieces}, {"perplexity", std::exp(loss / pieces)}};
  }
  const auto outputs = predict_all(network, plan, data);
  switch (plan.task) {
    case Task::classify:
      return classification_scores(plan, data, outputs);
    case Task::tag:
      return tag_scores(plan, data, outputs);
    case Task::answer:
      return answer_scores(data, outputs);
    default:
      return value_scores(plan, data, outputs);
  }
}

}  // namespace finetune
