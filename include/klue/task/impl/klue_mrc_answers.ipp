// Logits to answers, after compute_predictions_logits of transformers 3.5.1 with unanswerable
// questions.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/detail/sorted_order.hpp>
#include <klue/core/error.hpp>
#include <klue/task/detail/code_points.hpp>
#include <klue/task/detail/klue_basic_tokenizer.hpp>
#include <klue/task/klue_mrc.hpp>

namespace klue::baseline {
namespace {

/// A span of a window's places with the logits of its ends; start 0 stands for no answer.
struct MrcSpan {
  std::size_t window = 0, start = 0, end = 0;
  double start_logit = 0, end_logit = 0;

  double score() const { return start_logit + end_logit; }
};

// The places of the `most` greatest values, greatest first, of equals the lower.
std::vector<std::size_t> best_places(std::span<const float> values, std::size_t most) {
  std::vector<std::size_t> places(values.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  const auto end = places.begin() + static_cast<std::ptrdiff_t>(std::min(most, places.size()));
  std::partial_sort(places.begin(), end, places.end(), [values](std::size_t a, std::size_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  places.erase(end, places.end());
  return places;
}

void add_spans_of_window(const MrcWindow& window, const MrcLogits& logits, std::size_t index,
                         const MrcOptions& options, std::vector<MrcSpan>& spans) {
  const std::size_t context_end = std::min(window.context_at + window.tokens, window.readable);
  const auto in_context = [&](std::size_t place) {
    return place >= window.context_at && place < context_end;
  };
  const std::vector<std::size_t> ends = best_places(logits.end, options.n_best_size);
  for (const std::size_t start : best_places(logits.start, options.n_best_size)) {
    if (!in_context(start) || !window.max_context[start - window.context_at]) continue;
    for (const std::size_t end : ends)
      if (in_context(end) && end >= start && end - start < options.max_answer_length)
        spans.push_back({index, start, end, static_cast<double>(logits.start[start]),
                         static_cast<double>(logits.end[end])});
  }
}

// The weakest [CLS] of all windows: having no answer.
MrcSpan null_span(std::span<const MrcLogits> logits) {
  MrcSpan null;
  double least = 1000000;  // the original's own "large and positive"
  for (std::size_t w = 0; w < logits.size(); ++w) {
    const MrcSpan here{w, 0, 0, static_cast<double>(logits[w].start.front()),
                       static_cast<double>(logits[w].end.front())};
    if (here.score() < least) {
      least = here.score();
      null = here;
    }
  }
  return null;
}

// Where the characters of a text that are no spaces stand.
std::vector<std::size_t> places_without_spaces(std::u32string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != U' ') places.push_back(i);
  return places;
}

// get_final_text: the part of `original` that the tokens' text stands for. All of `original` where
// that is not to be found.
std::u32string aligned_text(const std::u32string& tokens_text, const std::u32string& original) {
  const std::u32string tokenized = detail::basic_tokenized(original);
  const std::size_t found = tokenized.find(tokens_text);
  if (found == tokenized.npos || tokens_text.empty()) return original;
  const std::vector<std::size_t> there = places_without_spaces(tokenized);
  const std::vector<std::size_t> here = places_without_spaces(original);
  if (there.size() != here.size()) return original;
  const auto projected = [&](std::size_t place) {
    return here[static_cast<std::size_t>(std::lower_bound(there.begin(), there.end(), place) -
                                         there.begin())];
  };
  const std::size_t begin = projected(found), last = projected(found + tokens_text.size() - 1);
  return original.substr(begin, last + 1 - begin);
}

void append_joined(std::string& text, const std::string& part) {
  if (!text.empty()) text.push_back(' ');
  text.append(part);
}

std::string text_of(const MrcDocument& document, const MrcSpan& span) {
  if (span.start == 0) return {};
  const MrcWindow& window = document.windows[span.window];
  const std::size_t first = span.start - window.context_at + window.first_token;
  const std::size_t last = span.end - window.context_at + window.first_token;
  std::string tokens, words;
  for (std::size_t i = first; i <= last; ++i)
    append_joined(tokens, document.pieces[i]);
  for (std::size_t at = tokens.find(" ##"); at != tokens.npos; at = tokens.find(" ##", at))
    tokens.erase(at, 3);
  for (std::size_t word = document.word_of[first]; word <= document.word_of[last]; ++word)
    append_joined(words, document.words[word]);
  return detail::utf8_of(aligned_text(detail::folded_spaces(detail::code_points_of(tokens)),
                                      detail::code_points_of(words)));
}

std::vector<MrcCandidate> best_candidates(const MrcDocument& document,
                                          std::span<const MrcSpan> spans, const MrcSpan& null,
                                          std::size_t most) {
  std::vector<MrcCandidate> best;
  std::set<std::string, std::less<>> seen;
  for (const MrcSpan& span : spans) {
    if (best.size() >= most) break;
    std::string text = text_of(document, span);
    if (!seen.insert(text).second && span.start != 0) continue;
    best.push_back({std::move(text), span.start_logit, span.end_logit});
  }
  if (!seen.contains("")) best.push_back({"", null.start_logit, null.end_logit});
  // The original's nonce answer, so that there is always one.
  if (best.size() == 1) best.insert(best.begin(), MrcCandidate{"empty", 0, 0});
  return best;
}

void check_mrc_logits(const MrcDocument& document, std::span<const MrcLogits> logits) {
  if (logits.size() != document.windows.size())
    throw UsageError("not one for each window",
                     {.field = "logits",
                      .expected = std::to_string(document.windows.size()),
                      .actual = std::to_string(logits.size())});
  for (std::size_t w = 0; w < logits.size(); ++w)
    for (const auto* values : {&logits[w].start, &logits[w].end})
      if (values->size() < document.windows[w].ids.size())
        throw UsageError("fewer than the window's tokens",
                         {.field = "logits[" + std::to_string(w) + "]",
                          .expected = std::to_string(document.windows[w].ids.size()),
                          .actual = std::to_string(values->size())});
}

}  // namespace

MrcAnswer mrc_answer(const MrcDocument& document, std::span<const MrcLogits> logits,
                     const MrcOptions& options) {
  check_mrc_logits(document, logits);
  std::vector<MrcSpan> unsorted;
  for (std::size_t w = 0; w < logits.size(); ++w)
    add_spans_of_window(document.windows[w], logits[w], w, options, unsorted);
  const MrcSpan null = null_span(logits);
  unsorted.push_back(null);
  std::vector<MrcSpan> spans;
  spans.reserve(unsorted.size());
  for (const std::size_t i : detail::falling_order(
           unsorted.size(), [&](std::size_t span) { return unsorted[span].score(); }))
    spans.push_back(unsorted[i]);

  MrcAnswer answer;
  answer.best = best_candidates(document, spans, null, options.n_best_size);
  const auto found = std::find_if(answer.best.begin(), answer.best.end(),
                                  [](const MrcCandidate& entry) { return !entry.text.empty(); });
  if (found == answer.best.end()) return answer;
  answer.score_diff = null.score() - found->start_logit - found->end_logit;
  if (!(answer.score_diff > 0)) answer.text = found->text;
  return answer;
}

}  // namespace klue::baseline
