#include <algorithm>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/task/answer.hpp>
#include <klue/task/detail/spans.hpp>
#include <klue/task/detail/token_head.hpp>

namespace klue {
namespace {

void check_answer_options(const AnswerOptions& options) {
  for (const auto& [field, value] : {std::pair{"top_k", options.top_k},
                                     std::pair{"max_answer_length", options.max_answer_length}})
    if (value == 0) throw UsageError("must not be 0", {.field = field, .expected = "at least 1"});
}

/// The question with pieces of the context, as QuestionAnsweringPipeline.preprocess cuts them.
EncodingWindows answer_windows(const Model& model, const Question& question,
                               const AnswerOptions& options) {
  constexpr std::size_t kUsualLength = 384, kUsualStride = 128;
  if (question.question.empty()) throw UsageError("must not be empty", {.field = "question"});
  if (question.context.empty()) throw UsageError("must not be empty", {.field = "context"});
  const std::size_t most = model.encoder().config().max_sequence_length();
  const std::size_t length =
      options.max_length.value_or(std::min(model.info().max_length, kUsualLength));
  if (length > most)
    throw UsageError("longer than the model's position table",
                     {.field = "max_length",
                      .expected = "at most " + std::to_string(most),
                      .actual = std::to_string(length)});
  const std::size_t stride = options.stride.value_or(std::min(length / 2, kUsualStride));
  if (stride > length)
    throw UsageError("a window would not come further",
                     {.field = "stride",
                      .expected = "at most max_length, " + std::to_string(length),
                      .actual = std::to_string(stride)});
  return model.preprocessor().tokenizer().windows(question.question, question.context,
                                                  {.max_length = length,
                                                   .truncation = Truncation::only_second,
                                                   .stride = stride,
                                                   .return_overflowing = true});
}

}  // namespace

struct Answerer::Impl {
  Model model;
  detail::TokenHead head;
};

Answerer::Answerer(Model model) {
  detail::require_task(model, Task::answer);
  detail::TokenHead head(model, {"qa_outputs.weight", "qa_outputs.bias"}, 2);
  impl_.reset(new Impl{std::move(model), std::move(head)});
}
Answerer::Answerer(Answerer&&) noexcept = default;
Answerer& Answerer::operator=(Answerer&&) noexcept = default;
Answerer::~Answerer() = default;

const Model& Answerer::model() const noexcept {
  return impl_->model;
}

std::vector<Answers> Answerer::answer(std::span<const Question> questions,
                                      const AnswerOptions& options) const {
  check_answer_options(options);
  const Model& model = impl_->model;
  const std::int32_t cls = model.preprocessor().tokenizer().special_ids().cls;
  const std::size_t wanted = detail::AnswerMerger::spans_wanted(options);
  std::vector<detail::AnswerMerger> mergers;
  for (const Question& question : questions)
    mergers.emplace_back(question.context, options);
  detail::WindowQueue queue(
      model, [&](std::span<const Encoding> windows, std::span<const std::size_t> owners) {
        std::vector<detail::WindowSpans> spans(windows.size());
        impl_->head.run(model, windows, [&](std::size_t i, std::span<const float> logits) {
          spans[i] = detail::best_spans(windows[i], logits, cls, wanted, options.max_answer_length);
        });
        for (std::size_t i = 0; i < windows.size(); ++i)
          mergers[owners[i]].add(windows[i], spans[i]);
      });
  for (std::size_t i = 0; i < questions.size(); ++i)
    queue.add_all(i, answer_windows(model, questions[i], options));
  queue.finish();
  std::vector<Answers> result;
  for (detail::AnswerMerger& merger : mergers)
    result.push_back(merger.finish());
  return result;
}

Answers Answerer::answer(std::string_view question, std::string_view context,
                         const AnswerOptions& options) const {
  const Question one{question, context};
  return std::move(answer({&one, 1}, options).front());
}

std::vector<TokenLogits> Answerer::logits(std::string_view question, std::string_view context,
                                          const AnswerOptions& options) const {
  return impl_->head.logits(impl_->model,
                            answer_windows(impl_->model, {question, context}, options));
}

}  // namespace klue
