#include <algorithm>
#include <iterator>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/task/detail/entities.hpp>
#include <klue/task/detail/token_head.hpp>
#include <klue/task/tag.hpp>

namespace klue {
namespace {

/// Rows of a head's weight matrix; 1 where it is none, which the packing then refuses.
std::size_t tag_label_count(const Model& model) {
  const TensorView* weight = model.encoder().core().checkpoint().find("classifier.weight");
  return weight == nullptr || weight->shape.empty() ? 1
                                                    : std::max<std::size_t>(1, weight->shape[0]);
}

/// The windows of one text: one, cut, where there is no stride to go on with.
EncodingWindows tag_windows(const Model& model, const TextPair& text, const TagOptions& options) {
  if (text.text_pair) throw UsageError("a pair of texts cannot be tagged", {.field = "text_pair"});
  const std::size_t most = model.encoder().config().max_sequence_length();
  const std::size_t length = options.max_length.value_or(model.info().max_length);
  const auto refuse = [](const char* field, const char* message, std::string expected,
                         std::size_t actual) {
    throw UsageError(
        message,
        {.field = field, .expected = std::move(expected), .actual = std::to_string(actual)});
  };
  if (length > most)
    refuse("max_length", "longer than the model's position table",
           "at most " + std::to_string(most), length);
  if (options.stride && *options.stride >= length)
    refuse("stride", "a window would not come further",
           "below max_length, " + std::to_string(length), *options.stride);
  EncodeOptions encode{.max_length = length, .return_overflowing = true};
  encode.return_overflowing = options.stride.has_value() || !options.max_length;
  encode.stride = options.stride.value_or(length / 4);
  return model.preprocessor().tokenizer().windows(text.text, std::nullopt, encode);
}

}  // namespace

struct Tagger::Impl {
  Model model;
  detail::TokenHead head;
  std::vector<std::string> labels;
};

Tagger::Tagger(Model model) {
  detail::require_task(model, Task::tag);
  detail::TokenHead head(model, {"classifier.weight", "classifier.bias"}, tag_label_count(model));
  std::vector<std::string> labels = detail::head_labels(model, head.outputs());
  impl_.reset(new Impl{std::move(model), std::move(head), std::move(labels)});
}
Tagger::Tagger(Tagger&&) noexcept = default;
Tagger& Tagger::operator=(Tagger&&) noexcept = default;
Tagger::~Tagger() = default;

const std::vector<std::string>& Tagger::labels() const noexcept {
  return impl_->labels;
}
const Model& Tagger::model() const noexcept {
  return impl_->model;
}

std::vector<std::vector<Entity>> Tagger::tag(const Texts& texts, const TagOptions& options) const {
  const Model& model = impl_->model;
  const Tokenizer& tokenizer = model.preprocessor().tokenizer();
  std::vector<std::vector<Entity>> result(texts.size());
  detail::WindowQueue queue(
      model, [&](std::span<const Encoding> windows, std::span<const std::size_t> owners) {
        std::vector<std::vector<Entity>> found(windows.size());
        impl_->head.run(model, windows, [&](std::size_t i, std::span<const float> logits) {
          found[i] = detail::entities_of(tokenizer, texts[owners[i]].text, windows[i], logits,
                                         impl_->labels, options);
        });
        for (std::size_t i = 0; i < found.size(); ++i)
          std::ranges::move(found[i], std::back_inserter(result[owners[i]]));
      });
  std::vector<bool> several(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const EncodingWindows windows = tag_windows(model, texts[i], options);
    several[i] = windows.size() > 1;
    queue.add_all(i, windows);
  }
  queue.finish();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (several[i]) result[i] = detail::merge_entities(std::move(result[i]), texts[i].text);
    detail::count_code_points(texts[i].text, result[i]);
  }
  return result;
}

std::vector<TokenLogits> Tagger::logits(std::string_view text, const TagOptions& options) const {
  return impl_->head.logits(impl_->model, tag_windows(impl_->model, {text, std::nullopt}, options));
}

std::vector<Entity> Tagger::tag_one(std::string_view text, const TagOptions& options) const {
  return std::move(tag(Texts(text), options).front());
}

}  // namespace klue
