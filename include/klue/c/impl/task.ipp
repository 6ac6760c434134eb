#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <klue/c/detail/handles.hpp>
#include <klue/c/detail/last_error.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

// A task over a model, as a handle of the C API.
template <class Handle>
klue_status new_c_task(const klue_model* model, Handle** out) noexcept {
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    using Task = decltype(Handle::task);
    *out = new Handle{Task(require_argument(model, "model").model)};
  });
}

klue_offset c_offset(const Offset& offset) {
  return {offset.begin, offset.end};
}

TextOptions c_text_options(std::size_t max_length, klue_truncation truncation) {
  TextOptions options;
  options.max_length = unless_zero(max_length);
  options.truncation = c_truncation(truncation);
  return options;
}

}  // namespace
}  // namespace klue::detail

extern "C" {

// ------------------------------------------------------------------------------------- classify

klue_status klue_classifier_new(const klue_model* model, klue_classifier** out) {
  return klue::detail::new_c_task(model, out);
}
void klue_classifier_free(klue_classifier* classifier) {
  delete classifier;
}

klue_status klue_classify(const klue_classifier* classifier, const klue_text* texts, size_t count,
                          const klue_classify_options* given, klue_labels** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    const klue::Classifier& task = require_argument(classifier, "classifier").task;
    const klue_classify_options options = read_c_options(given);
    auto labels = task.classify(c_texts(texts, count),
                                {.top_k = unless_zero(options.top_k),
                                 .activation = c_score_function(options.activation),
                                 .text = c_text_options(options.max_length, options.truncation)});
    *out = new klue_labels(std::move(labels), [](const klue::Label& label) {
      return klue_label{label.name.c_str(), label.score};
    });
  });
}

const klue_label* klue_labels_at(const klue_labels* labels, size_t index, size_t* count) {
  if (labels != nullptr) return labels->at(index, count);
  if (count != nullptr) *count = 0;
  return nullptr;
}
void klue_labels_free(klue_labels* labels) {
  delete labels;
}

// ----------------------------------------------------------------------------------------- rank

klue_status klue_ranker_new(const klue_model* model, klue_ranker** out) {
  return klue::detail::new_c_task(model, out);
}
void klue_ranker_free(klue_ranker* ranker) {
  delete ranker;
}

klue_status klue_rank(const klue_ranker* ranker, const klue_text* pairs, size_t count,
                      const klue_rank_options* given, double* scores) {
  using namespace klue::detail;
  return c_call([&] {
    const klue::Ranker& task = require_argument(ranker, "ranker").task;
    const klue_rank_options options = read_c_options(given);
    const std::vector<klue::TextPair> views = c_texts(pairs, count);
    if (count != 0) require_argument(scores, "scores");
    const std::vector<double> result =
        task.score(views, {.activation = c_score_function(options.activation),
                           .text = c_text_options(options.max_length, options.truncation)});
    std::ranges::copy(result, scores);
  });
}

// ------------------------------------------------------------------------------------------ tag

klue_status klue_tagger_new(const klue_model* model, klue_tagger** out) {
  return klue::detail::new_c_task(model, out);
}
void klue_tagger_free(klue_tagger* tagger) {
  delete tagger;
}

klue_status klue_tag(const klue_tagger* tagger, const klue_text* texts, size_t count,
                     const klue_tag_options* given, klue_entities** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    const klue::Tagger& task = require_argument(tagger, "tagger").task;
    const klue_tag_options options = read_c_options(given);
    constexpr std::array kAggregations{klue::Aggregation::simple, klue::Aggregation::none,
                                       klue::Aggregation::first, klue::Aggregation::average,
                                       klue::Aggregation::max};
    klue::TagOptions tag;
    tag.aggregation =
        kAggregations[c_choice(options.aggregation, kAggregations.size(), "aggregation")];
    tag.max_length = unless_zero(options.max_length);
    tag.stride = unless_zero(options.stride);
    *out = new klue_entities(task.tag(c_texts(texts, count), tag), [](const klue::Entity& entity) {
      return klue_entity{entity.label.c_str(), entity.word.c_str(), entity.score,
                         c_offset(entity.offset), c_offset(entity.code_points)};
    });
  });
}

const klue_entity* klue_entities_at(const klue_entities* entities, size_t index, size_t* count) {
  if (entities != nullptr) return entities->at(index, count);
  if (count != nullptr) *count = 0;
  return nullptr;
}
void klue_entities_free(klue_entities* entities) {
  delete entities;
}

// --------------------------------------------------------------------------------------- answer

klue_status klue_answerer_new(const klue_model* model, klue_answerer** out) {
  return klue::detail::new_c_task(model, out);
}
void klue_answerer_free(klue_answerer* answerer) {
  delete answerer;
}

klue_status klue_answer_questions(const klue_answerer* answerer, const klue_text* questions,
                                  size_t count, const klue_answer_options* given,
                                  klue_answers** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    const klue::Answerer& task = require_argument(answerer, "answerer").task;
    const klue_answer_options options = read_c_options(given);
    klue::AnswerOptions answer;
    if (options.top_k != 0) answer.top_k = options.top_k;
    answer.max_length = unless_zero(options.max_length);
    answer.stride = unless_zero(options.stride);
    if (options.max_answer_length != 0) answer.max_answer_length = options.max_answer_length;
    answer.no_answer = options.no_answer != 0;
    answer.no_answer_threshold = options.no_answer_threshold;
    answer.align_words = options.break_words == 0;

    std::vector<klue::Question> asked;
    for (const klue::TextPair& text : c_texts(questions, count))
      asked.push_back({text.text, text.text_pair.value_or("")});
    std::vector<std::vector<klue::Answer>> best;
    std::vector<double> null_scores;
    for (klue::Answers& answers : task.answer(asked, answer)) {
      best.push_back(std::move(answers.best));
      null_scores.push_back(answers.null_score);
    }
    auto result = std::make_unique<klue_answers>(std::move(best), [](const klue::Answer& one) {
      return klue_answer{one.text.c_str(), one.score, c_offset(one.offset),
                         c_offset(one.code_points)};
    });
    result->null_scores = std::move(null_scores);
    *out = result.release();
  });
}

const klue_answer* klue_answers_at(const klue_answers* answers, size_t index, size_t* count) {
  if (answers != nullptr) return answers->at(index, count);
  if (count != nullptr) *count = 0;
  return nullptr;
}
double klue_answers_null_score(const klue_answers* answers, size_t index) {
  return answers != nullptr && index < answers->null_scores.size() ? answers->null_scores[index]
                                                                   : 0;
}
void klue_answers_free(klue_answers* answers) {
  delete answers;
}

// ------------------------------------------------------------------------------------ fill_mask

klue_status klue_mask_filler_new(const klue_model* model, klue_mask_filler** out) {
  return klue::detail::new_c_task(model, out);
}
void klue_mask_filler_free(klue_mask_filler* filler) {
  delete filler;
}

klue_status klue_fill_mask(const klue_mask_filler* filler, klue_text text,
                           const klue_fill_options* given, klue_fillings** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    const klue::MaskFiller& task = require_argument(filler, "filler").task;
    const klue_fill_options options = read_c_options(given);
    klue::FillMaskOptions fill;
    if (options.top_k != 0) fill.top_k = options.top_k;
    if (options.targets != nullptr)
      for (std::size_t i = 0; i < options.target_count; ++i)
        fill.targets.emplace_back(&require_argument(options.targets[i], "targets"));
    auto masks = std::move(task.fill(c_texts(&text, 1), fill).front());
    *out = new klue_fillings(std::move(masks), [](const klue::Filling& filling) {
      return klue_filling{filling.token, filling.token_text.c_str(), filling.sequence.c_str(),
                          filling.score};
    });
  });
}

const klue_filling* klue_fillings_at(const klue_fillings* fillings, size_t index, size_t* count) {
  if (fillings != nullptr) return fillings->at(index, count);
  if (count != nullptr) *count = 0;
  return nullptr;
}
void klue_fillings_free(klue_fillings* fillings) {
  delete fillings;
}

}  // extern "C"
