#include <array>
#include <string>

#include <klue/c/detail/handles.hpp>
#include <klue/c/detail/last_error.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {

std::string_view c_text(const char* data, std::size_t size, const char* name) {
  if (data == nullptr) {
    if (size == 0) return {};
    throw UsageError("a text is NULL", {.field = name, .expected = "not NULL"});
  }
  return size == KLUE_UNTIL_NUL ? std::string_view(data) : std::string_view(data, size);
}

std::vector<TextPair> c_texts(const klue_text* texts, std::size_t count) {
  if (count != 0) require_argument(texts, "texts");
  std::vector<TextPair> views;
  views.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    TextPair view;
    view.text = c_text(texts[i].data, texts[i].size, "texts");
    if (texts[i].pair_data != nullptr)
      view.text_pair = c_text(texts[i].pair_data, texts[i].pair_size, "texts");
    views.push_back(view);
  }
  return views;
}

std::size_t c_choice(std::int32_t value, std::size_t count, const char* name) {
  if (value < 0 || static_cast<std::size_t>(value) >= count)
    throw UsageError("no value of this option", {.field = name,
                                                 .expected = "0 to " + std::to_string(count - 1),
                                                 .actual = std::to_string(value)});
  return static_cast<std::size_t>(value);
}

std::optional<Truncation> c_truncation(klue_truncation truncation) {
  const std::size_t choice = c_choice(truncation, 1 + std::size(kTruncations), "truncation");
  return choice == 0 ? std::nullopt : std::optional(kTruncations[choice - 1]);
}

ScoreFunction c_score_function(klue_score_function function) {
  constexpr std::array kFunctions{ScoreFunction::automatic, ScoreFunction::softmax,
                                  ScoreFunction::sigmoid, ScoreFunction::none};
  return kFunctions[c_choice(function, kFunctions.size(), "activation")];
}

LoadOptions c_load_options(const klue_load_options* given) {
  const klue_load_options options = read_c_options(given);
  LoadOptions result;
  result.threads = options.threads;
  result.engine = kEngines[c_choice(options.engine, std::size(kEngines), "engine")];
  result.precision = kPrecisions[c_choice(options.precision, std::size(kPrecisions), "precision")];
  if (const auto dialect = c_choice(options.dialect, 1 + std::size(kDialects), "dialect"))
    result.dialect = kDialects[dialect - 1];
  if (options.preprocessor != nullptr) result.preprocessor = options.preprocessor;
  if (options.batch_tokens != 0) result.batch_tokens = options.batch_tokens;
  if (options.weight_expansion != 0) result.weight_expansion = options.weight_expansion;
  return result;
}

}  // namespace klue::detail
