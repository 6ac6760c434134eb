#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <klue/task/answer.hpp>
#include <klue/text/encoding.hpp>

/// Logits to answers, after QuestionAnsweringPipeline of transformers 4.57.
namespace klue::detail {

/// A span of tokens of a window, both ends included.
struct TokenSpan {
  std::size_t first = 0, last = 0;
  double score = 0;
};

/// The best spans of a window.
struct WindowSpans {
  std::vector<TokenSpan> best;  ///< best first; none with a score of 0
  double null_score = 0;        ///< of the span that is [CLS] alone
};

/// `logits` are [window.size(), 2]. Beginnings and ends are made probabilities apart, over the
/// tokens of the context and [CLS]; at most `most` spans of at most `longest` tokens are kept.
/// O(tokens × longest), with memory for `most`.
WindowSpans best_spans(const Encoding& window, std::span<const float> logits, std::int32_t cls,
                       std::size_t most, std::size_t longest);

/// Which bytes of the context a span is: whole words where `align_words`, as the window has them.
Offset place_of(const Encoding& window, const TokenSpan& span, bool align_words,
                std::size_t context_size);

/// Takes the windows of one context in turn and merges what they answer.
class AnswerMerger {
 public:
  AnswerMerger(std::string_view context, const AnswerOptions& options)
      : context_(context), options_(options) {}

  /// Spans that a window has to give: enough that top_k are left when those of one text are one.
  static std::size_t spans_wanted(const AnswerOptions& options);

  void add(const Encoding& window, const WindowSpans& spans);
  Answers finish();

 private:
  std::string_view context_;
  AnswerOptions options_;
  std::vector<Answer> answers_;
  std::unordered_map<std::string, std::size_t> by_text_;  // in lower case → index in answers_
  double null_score_ = 1e6;
  bool any_ = false;
};

}  // namespace klue::detail
