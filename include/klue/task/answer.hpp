#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/model.hpp>
#include <klue/task/token_logits.hpp>
#include <klue/text/offset.hpp>

namespace klue {

/// A question and the text that answers it. UTF-8; views only.
struct Question {
  std::string_view question, context;  ///< UTF-8
};

/// A part of a context; "" at [0, 0) says that there is no answer in it.
struct Answer {
  std::string text;      ///< as the context has it; empty: there is no answer
  double score = 0;      ///< sums over windows and equal texts, so it can pass 1
  Offset offset{};       ///< bytes of the context
  Offset code_points{};  ///< the same in code points, Python's `str`
};

/// The answers to a question, best first.
struct Answers {
  std::vector<Answer> best;  ///< best first; fewer than top_k where there are no more
  /// How sure the model is that there is no answer: the least over all windows.
  double null_score = 0;
};

/// How answers are looked for; defaults are those of the original pipeline.
struct AnswerOptions {
  std::size_t top_k = 1;  ///< answers, at most
  /// Tokens of a window, question and special tokens included. Unset: 384, or what the model has.
  std::optional<std::size_t> max_length{};
  /// Tokens of context that a window shares with the one before. Unset: half of max_length, at most
  /// 128.
  std::optional<std::size_t> stride{};
  std::size_t max_answer_length = 15;  ///< in tokens
  bool no_answer = false;              ///< the empty answer competes, with null_score
  /// What the empty answer has to have over another to come before it.
  double no_answer_threshold = 0;
  bool align_words = true;  ///< answers begin and end with whole words
};

/// Questions to places in a text that answers them: RobertaForQuestionAnswering and
/// BertForQuestionAnswering.
///
///     const klue::Answerer answerer(klue::Model::load("my-mrc"));
///     answerer.answer("이순신은 언제 태어났나?", context).best[0].text;
///
/// Contexts of any length are read in windows that overlap. Of a window only its best spans are
/// kept, so memory does not grow with its logits. Answers as the question-answering pipeline of
/// transformers does since 4.53; docs/tasks.md has the rules. Immutable: any number of threads may
/// use one.
class KLUE_EXPORT Answerer {
 public:
  /// Shares the model and packs the head. Throws UsageError where it has no such head, saying which
  /// it has; FormatError where the head is damaged.
  explicit Answerer(Model model);
  Answerer(Answerer&&) noexcept;
  Answerer& operator=(Answerer&&) noexcept;
  ~Answerer();

  /// In the order given. Throws UsageError for an empty question or context, one that fills the
  /// window, and for a length or stride that cannot be kept.
  std::vector<Answers> answer(std::span<const Question> questions,
                              const AnswerOptions& options = {}) const;
  /// The same for one question. Throws as the other.
  Answers answer(std::string_view question, std::string_view context,
                 const AnswerOptions& options = {}) const;

  /// The windows of one context with logits [tokens, 2]: of a beginning, of an end.
  std::vector<TokenLogits> logits(std::string_view question, std::string_view context,
                                  const AnswerOptions& options = {}) const;

  /// The model that this was made of.
  const Model& model() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace klue
