// Scores of answers: exact match, and KLUE's ROUGE-W, which is no subsequence but difflib's block.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/detail/code_points.hpp>
#include <klue/task/detail/klue_arithmetic.hpp>
#include <klue/task/detail/klue_basic_tokenizer.hpp>
#include <klue/task/detail/klue_checks.hpp>
#include <klue/task/klue_metrics.hpp>
#include <klue/text/detail/python_string.hpp>

namespace klue::metrics {
namespace {

// The original means to replace every quote and bracket by a space, but its pattern
// ['\"《》<>〈〉\]()‘’… closes the class too early: one of these must be followed by all of ()‘’.
void replace_malformed_pattern(std::u32string& text) {
  constexpr std::u32string_view kFirst = U"'\"《》<>〈〉", kRest = U"()‘’";
  for (std::size_t i = 0; i + kRest.size() < text.size(); ++i)
    if (kFirst.find(text[i]) != kFirst.npos && text.compare(i + 1, kRest.size(), kRest) == 0)
      text.replace(i, kRest.size() + 1, U" ");
}

constexpr bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

std::u32string normalized_points(std::string_view text) {
  std::u32string points = detail::code_points_of(detail::python_lower(text));
  replace_malformed_pattern(points);
  std::erase_if(points, is_ascii_punctuation);
  return detail::folded_spaces(points);
}

using PlacesOf = std::unordered_map<char32_t, std::vector<std::size_t>>;

// Where each character stands in `text`. The `autojunk` of difflib's SequenceMatcher: in a text of
// 200 or more, a character in more than 1 % of the places (and one) is left out.
PlacesOf places_in(std::u32string_view text) {
  PlacesOf places;
  for (std::size_t j = 0; j < text.size(); ++j)
    places[text[j]].push_back(j);
  if (text.size() >= 200)
    std::erase_if(places, [most = text.size() / 100 + 1](const PlacesOf::value_type& entry) {
      return entry.second.size() > most;
    });
  return places;
}

// The length of difflib's SequenceMatcher(None, a, b).find_longest_match: the earliest of the
// longest runs of characters that `places_in` keeps, grown to both sides over any.
std::size_t longest_match(std::u32string_view a, std::u32string_view b) {
  const PlacesOf places = places_in(b);
  // length[j + 1]: of the run that ends at a[i] and b[j]. Places are gone through from the right,
  // so that those of a[i - 1] are still there; others are cleared.
  std::vector<std::size_t> length(b.size() + 1);
  const std::vector<std::size_t> nowhere;
  const std::vector<std::size_t>* before = &nowhere;
  std::size_t best_a = 0, best_b = 0, best = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto found = places.find(a[i]);
    const std::vector<std::size_t>& now = found == places.end() ? nowhere : found->second;
    std::vector<std::size_t> runs;
    for (const std::size_t j : now)
      runs.push_back(length[j] + 1);
    for (const std::size_t j : *before)
      length[j + 1] = 0;
    for (std::size_t k = 0; k < now.size(); ++k) {
      length[now[k] + 1] = runs[k];
      if (runs[k] > best) {
        best = runs[k];
        best_a = i + 1 - best;
        best_b = now[k] + 1 - best;
      }
    }
    before = &now;
  }
  std::size_t end_a = best_a + best, end_b = best_b + best;
  for (; best_a > 0 && best_b > 0 && a[best_a - 1] == b[best_b - 1]; --best_b)
    --best_a;
  for (; end_a < a.size() && end_b < b.size() && a[end_a] == b[end_b]; ++end_b)
    ++end_a;
  return end_a - best_a;
}

double rouge_w(std::u32string_view prediction, std::u32string_view answer) {
  if (answer.empty()) return prediction.empty() ? 1 : 0;
  const auto matched = static_cast<double>(longest_match(prediction, answer));
  if (matched == 0) return 0;
  const double precision = matched / static_cast<double>(prediction.size());
  const double recall = matched / static_cast<double>(answer.size());
  return 2 * (precision * recall) / (precision + recall);
}

// 1, 2, 3 are types; 0, -1 and -2 are Python's indices from the end of the list of them.
std::size_t list_of_type(std::int32_t type, std::size_t question) {
  if (type < -2 || type > 3)
    throw UsageError("no such question type",
                     {.field = "question_types[" + std::to_string(question) + "]",
                      .expected = "1, 2 or 3",
                      .actual = std::to_string(type)});
  return static_cast<std::size_t>(type > 0 ? type - 1 : type + 2);
}

}  // namespace

std::string normalized_answer(std::string_view text) {
  return detail::utf8_of(normalized_points(text));
}

AnswerScore answer_score(std::string_view prediction, std::span<const std::string> answers) {
  static const std::array<std::string, 1> no_answer{};
  if (answers.empty()) answers = no_answer;
  const std::u32string predicted = normalized_points(prediction);
  AnswerScore score;
  for (const std::string& answer : answers) {
    const std::u32string truth = normalized_points(answer);
    if (predicted == truth) score.exact_match = 1;
    score.rouge_w = std::max(score.rouge_w, rouge_w(predicted, truth));
  }
  return score;
}

AnswerScore answer_scores(std::span<const AnswerScore> scores,
                          std::span<const std::int32_t> question_types) {
  if (!question_types.empty())
    detail::check_klue_sides(scores.size(), question_types.size(), "question_types");
  std::array<std::vector<AnswerScore>, 3> lists;
  for (std::size_t i = 0; i < scores.size(); ++i)
    lists[question_types.empty() ? 0 : list_of_type(question_types[i], i)].push_back(scores[i]);
  std::vector<double> matches, rouges;
  for (const std::vector<AnswerScore>& list : lists)
    for (const AnswerScore& score : list) {
      matches.push_back(score.exact_match);
      rouges.push_back(score.rouge_w);
    }
  return {.exact_match = detail::numpy_mean(matches) * 100.0,
          .rouge_w = detail::numpy_mean(rouges) * 100.0};
}

}  // namespace klue::metrics
