#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <klue/core/detail/sorted_order.hpp>
#include <klue/task/detail/spans.hpp>
#include <klue/text/detail/python_string.hpp>

namespace klue::detail {
namespace {

/// Of one column of the logits, the probabilities of the tokens that count; 0 for the others. The
/// original gives those -10000, which is 0 after the exponential.
std::vector<double> end_probabilities(std::span<const float> logits, std::size_t column,
                                      const std::vector<bool>& counts) {
  std::vector<double> values(counts.size());
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (counts[i]) largest = std::max(largest, static_cast<double>(logits[2 * i + column]));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (counts[i])
      sum += values[i] = std::exp(static_cast<double>(logits[2 * i + column]) - largest);
  for (double& x : values)
    x /= sum;
  return values;
}

/// By falling score, then in the order of a flattened table of beginnings and ends.
bool span_before(const TokenSpan& a, const TokenSpan& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.first != b.first ? a.first < b.first : a.last < b.last;
}

/// Encoding.word_to_chars: the bytes of a word of the context, as far as it is in this window.
std::optional<Offset> word_in_window(const Encoding& window, std::int32_t word) {
  std::optional<Offset> found;
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (window.sequence_ids[i] != 1 || window.word_ids[i] != word) continue;
    if (!found) found = window.offsets[i];
    found->end = window.offsets[i].end;
  }
  return found;
}

}  // namespace

WindowSpans best_spans(const Encoding& window, std::span<const float> logits, std::int32_t cls,
                       std::size_t most, std::size_t longest) {
  std::vector<bool> counts(window.size());
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = window.sequence_ids[i] == 1 || window.ids[i] == cls;
  std::vector<double> first = end_probabilities(logits, 0, counts),
                      last = end_probabilities(logits, 1, counts);
  WindowSpans result;
  result.null_score = first.front() * last.front();
  first.front() = last.front() = 0;

  // A heap with the worst of the best on top.
  std::vector<TokenSpan>& best = result.best;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!(first[i] > 0)) continue;
    const std::size_t end = std::min(first.size(), i + std::min(longest, first.size()));
    for (std::size_t j = i; j < end; ++j) {
      const TokenSpan span{i, j, first[i] * last[j]};
      if (!(span.score > 0)) continue;
      if (best.size() == most) {
        if (!span_before(span, best.front())) continue;
        std::ranges::pop_heap(best, span_before);
        best.pop_back();
      }
      best.push_back(span);
      std::ranges::push_heap(best, span_before);
    }
  }
  std::ranges::sort_heap(best, span_before);
  return result;
}

// get_indices. A [CLS] that stands in the question can begin a span there; the original then looks
// its word up in the context, and so does this.
Offset place_of(const Encoding& window, const TokenSpan& span, bool align_words,
                std::size_t context_size) {
  Offset place{window.offsets[span.first].begin, window.offsets[span.last].end};
  if (align_words) {
    const auto first = word_in_window(window, window.word_ids[span.first]);
    const auto last = word_in_window(window, window.word_ids[span.last]);
    if (first && last) place = {first->begin, last->end};
  }
  place.end = std::min(place.end, context_size);
  place.begin = std::min(place.begin, place.end);
  return place;
}

std::size_t AnswerMerger::spans_wanted(const AnswerOptions& options) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max() / 4;
  const std::size_t top_k = std::min(options.top_k, kMost);
  return options.align_words ? 2 * top_k + 10 : top_k;
}

// A text that is there already adds its score to the first of its kind, which keeps its place.
void AnswerMerger::add(const Encoding& window, const WindowSpans& spans) {
  any_ = true;
  null_score_ = std::min(null_score_, spans.null_score);
  for (const TokenSpan& span : spans.best) {
    const Offset place = place_of(window, span, options_.align_words, context_.size());
    const std::string_view text = context_.substr(place.begin, place.end - place.begin);
    const auto [known, is_new] = by_text_.try_emplace(python_lower(text), answers_.size());
    if (is_new)
      answers_.push_back({.text = std::string(text), .score = span.score, .offset = place});
    else
      answers_[known->second].score += span.score;
  }
}

Answers AnswerMerger::finish() {
  Answers result;
  result.null_score = any_ ? null_score_ : 0;
  // The empty answer stands behind the others and competes as it is.
  const std::size_t found = answers_.size();
  if (options_.no_answer) answers_.push_back({.text = {}, .score = result.null_score});
  std::vector<std::size_t> order = falling_order(answers_.size(), [&](std::size_t i) {
    return answers_[i].score - (i == found ? options_.no_answer_threshold : 0);
  });
  order.resize(std::min(order.size(), options_.top_k));
  std::vector<Offset> places;
  for (const std::size_t i : order)
    places.push_back(answers_[i].offset);
  places = to_code_points(context_, places);
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.best.push_back(std::move(answers_[order[i]]));
    result.best.back().code_points = places[i];
  }
  return result;
}

}  // namespace klue::detail
