#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/klue.h>
#include <klue/model.hpp>
#include <klue/task.hpp>
#include <klue/text/tokenizer.hpp>

/// What is behind the handles of the C API.

struct klue_model {
  klue::Model model;
};

struct klue_stop {
  std::stop_source source;
};

struct klue_tokenizer {
  explicit klue_tokenizer(klue::Model of) : model(std::move(of)) {}
  explicit klue_tokenizer(klue::Preprocessor alone) : preprocessor(std::move(alone)) {}

  const klue::Tokenizer& tokenizer() const {
    return model ? model->preprocessor().tokenizer() : preprocessor->tokenizer();
  }

  std::optional<klue::Model> model;  // or
  std::optional<klue::Preprocessor> preprocessor;
};

struct klue_encoding {
  klue::Encoding encoding;
  std::vector<std::string> tokens;
  std::vector<klue_offset> offsets;
};

struct klue_classifier {
  klue::Classifier task;
};
struct klue_ranker {
  klue::Ranker task;
};
struct klue_tagger {
  klue::Tagger task;
};
struct klue_answerer {
  klue::Answerer task;
};
struct klue_mask_filler {
  klue::MaskFiller task;
};

namespace klue::detail {

/// Lists of results, in C's form and in C++'s, which owns the texts.
template <class CItem, class Item>
struct CLists {
  /// `view` makes C's form of an item, for as long as that does not move.
  template <class View>
  CLists(std::vector<std::vector<Item>> results, const View& view) : items(std::move(results)) {
    for (const std::vector<Item>& list : items) {
      std::vector<CItem>& views = shown.emplace_back();
      views.reserve(list.size());
      for (const Item& item : list)
        views.push_back(view(item));
    }
  }

  const CItem* at(std::size_t index, std::size_t* count) const noexcept {
    const bool there = index < shown.size();
    if (count != nullptr) *count = there ? shown[index].size() : 0;
    return there ? shown[index].data() : nullptr;
  }

  std::vector<std::vector<Item>> items;
  std::vector<std::vector<CItem>> shown;
};

/// Views of texts. Throws UsageError where one is NULL.
std::vector<TextPair> c_texts(const klue_text* texts, std::size_t count);

/// One text of C's, with its name for errors.
std::string_view c_text(const char* data, std::size_t size, const char* name);

/// A value of one of C's enumerations as an index, where it is below `count`. Throws UsageError.
std::size_t c_choice(std::int32_t value, std::size_t count, const char* name);

/// Absent where C says 0.
inline std::optional<std::size_t> unless_zero(std::size_t value) {
  return value == 0 ? std::nullopt : std::optional(value);
}

std::optional<Truncation> c_truncation(klue_truncation truncation);
ScoreFunction c_score_function(klue_score_function function);
LoadOptions c_load_options(const klue_load_options* given);

}  // namespace klue::detail

struct klue_labels : klue::detail::CLists<klue_label, klue::Label> {
  using CLists::CLists;
};
struct klue_entities : klue::detail::CLists<klue_entity, klue::Entity> {
  using CLists::CLists;
};
struct klue_answers : klue::detail::CLists<klue_answer, klue::Answer> {
  using CLists::CLists;
  std::vector<double> null_scores;
};
struct klue_fillings : klue::detail::CLists<klue_filling, klue::Filling> {
  using CLists::CLists;
};
