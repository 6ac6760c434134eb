#include "scores.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "record_json.hpp"

namespace finetune {

double accuracy(std::span<const std::size_t> guesses, std::span<const std::size_t> labels) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    right += guesses[i] == labels[i];
  return 100.0 * static_cast<double>(right) / static_cast<double>(labels.size());
}

double macro_f1(std::span<const std::size_t> guesses, std::span<const std::size_t> labels,
                std::size_t count) {
  std::vector<double> right(count), guessed(count), there(count);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ++guessed[guesses[i]];
    ++there[labels[i]];
    if (guesses[i] == labels[i]) ++right[labels[i]];
  }
  double sum = 0, seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (guessed[i] + there[i] == 0) continue;
    sum += 2 * right[i] / (guessed[i] + there[i]);
    ++seen;
  }
  return 100 * sum / seen;
}

double pearson(std::span<const double> a, std::span<const double> b) {
  const auto mean = [](std::span<const double> x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  };
  const double mean_a = mean(a), mean_b = mean(b);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return 100 * ab / std::sqrt(aa * bb);
}

double spearman(std::span<const double> a, std::span<const double> b) {
  const auto ranks = [](std::span<const double> x) {
    std::vector<std::size_t> order(x.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t i, std::size_t j) { return x[i] < x[j]; });
    std::vector<double> ranks_of(x.size());
    for (std::size_t first = 0; first < order.size();) {
      std::size_t end = first;
      while (end < order.size() && x[order[end]] == x[order[first]])
        ++end;
      for (std::size_t i = first; i < end; ++i)
        ranks_of[order[i]] = static_cast<double>(first + end - 1) / 2;
      first = end;
    }
    return ranks_of;
  };
  return pearson(ranks(a), ranks(b));
}

double average_precision(std::span<const double> values, std::span<const double> relevant) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t i, std::size_t j) { return values[i] > values[j]; });
  double found = 0, sum = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (relevant[order[i]] < 0.5) continue;
    ++found;
    sum += found / static_cast<double>(i + 1);
  }
  return found == 0 ? 0 : 100 * sum / found;
}

namespace {

using Entity = std::tuple<std::size_t, std::string, std::size_t, std::size_t>;

std::set<Entity> entities(const std::vector<std::vector<std::string>>& sentences) {
  std::set<Entity> found;
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    std::string type;
    std::size_t first = 0;
    const std::vector<std::string>& tags = sentences[s];
    for (std::size_t i = 0; i <= tags.size(); ++i) {
      const bool inside = i < tags.size() && tags[i].size() > 2 && tags[i][1] == '-';
      const std::string own = inside ? tags[i].substr(2) : "";
      const bool goes_on = inside && tags[i][0] == 'I' && own == type;
      if (goes_on) continue;
      if (!type.empty()) found.emplace(s, type, first, i - 1);
      type = own;
      first = i;
    }
  }
  return found;
}

}  // namespace

double entity_f1(const std::vector<std::vector<std::string>>& guesses,
                 const std::vector<std::vector<std::string>>& tags) {
  const std::set<Entity> guessed = entities(guesses), there = entities(tags);
  std::size_t right = 0;
  for (const Entity& entity : guessed)
    right += there.count(entity);
  if (guessed.empty() && there.empty()) return 100;
  return 200.0 * static_cast<double>(right) / static_cast<double>(guessed.size() + there.size());
}

double character_f1(const std::string& guess, const std::string& answer) {
  const auto counts = [](const std::string& text) {
    std::map<std::string, std::size_t> result;
    for (const std::string& point : code_points(text))
      if (point != " " && point != "\t" && point != "\n") ++result[point];
    return result;
  };
  const auto of_guess = counts(guess), of_answer = counts(answer);
  std::size_t right = 0, total = 0;
  for (const auto& [point, count] : of_guess) {
    total += count;
    if (const auto found = of_answer.find(point); found != of_answer.end())
      right += std::min(count, found->second);
  }
  for (const auto& [point, count] : of_answer)
    total += count;
  return total == 0 ? 100.0 : 200.0 * static_cast<double>(right) / static_cast<double>(total);
}

}  // namespace finetune
