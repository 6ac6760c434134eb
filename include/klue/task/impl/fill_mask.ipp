#include <algorithm>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/task/detail/fillings.hpp>
#include <klue/task/detail/mask_head.hpp>
#include <klue/task/detail/token_head.hpp>
#include <klue/task/fill_mask.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue {
namespace {

/// The text's tokens with its masks, of which it must have some; nothing is cut.
detail::MaskedText masked_text(const Model& model, const TextPair& text, std::int32_t mask) {
  if (text.text_pair) throw UsageError("a pair of texts cannot be filled", {.field = "text_pair"});
  Encoding encoding = model.preprocessor().encode(text.text);
  const std::size_t most = model.encoder().config().max_sequence_length();
  if (encoding.size() > most)
    throw UsageError("the text is too long, and a text with masks is never cut",
                     {.field = "text",
                      .expected = "at most " + std::to_string(most) + " tokens",
                      .actual = std::to_string(encoding.size())});
  detail::MaskedText result;
  for (std::size_t i = 0; i < encoding.size(); ++i)
    if (encoding.ids[i] == mask) result.masks.push_back(i);
  if (result.masks.empty())
    throw UsageError("no mask in the text",
                     {.field = "text", .expected = model.preprocessor().tokenizer().token(mask)});
  detail::fit_type_ids(model, encoding);
  result.ids = std::move(encoding.ids);
  result.type_ids = std::move(encoding.type_ids);
  return result;
}

std::int32_t mask_of(const Model& model) {
  const Tokenizer& tokenizer = model.preprocessor().tokenizer();
  if (!tokenizer.special_ids().mask)
    throw FormatError("the tokenizer has no mask", {.file = model.info().directory.string(),
                                                    .field = "mask_token",
                                                    .actual = tokenizer.config().mask_token});
  return *tokenizer.special_ids().mask;
}

}  // namespace

struct MaskFiller::Impl {
  Model model;
  detail::MaskHead head;
  std::int32_t mask;
};

MaskFiller::MaskFiller(Model model) {
  detail::require_task(model, Task::fill_mask);
  detail::MaskHead head(model);
  const std::int32_t mask = mask_of(model);
  impl_.reset(new Impl{std::move(model), std::move(head), mask});
}
MaskFiller::MaskFiller(MaskFiller&&) noexcept = default;
MaskFiller& MaskFiller::operator=(MaskFiller&&) noexcept = default;
MaskFiller::~MaskFiller() = default;

const Model& MaskFiller::model() const noexcept {
  return impl_->model;
}

std::vector<std::vector<std::vector<Filling>>> MaskFiller::fill(
    const Texts& texts, const FillMaskOptions& options) const {
  if (options.top_k == 0)
    throw UsageError("must not be 0", {.field = "top_k", .expected = "at least 1"});
  const Model& model = impl_->model;
  const Tokenizer& tokenizer = model.preprocessor().tokenizer();
  const std::vector<std::int32_t> targets = detail::target_ids(tokenizer, options.targets);
  std::vector<std::vector<std::vector<Filling>>> result(texts.size());
  for (std::size_t begin = 0, end = 0; begin < texts.size(); begin = end) {
    // As many texts at a time as keep memory small.
    constexpr std::size_t kTokensAtOnce = 8192;
    std::vector<detail::MaskedText> masked;
    for (std::size_t tokens = 0; end < texts.size() && tokens < kTokensAtOnce; ++end) {
      masked.push_back(masked_text(model, texts[end], impl_->mask));
      tokens += masked.back().ids.size();
      result[end].resize(masked.back().masks.size());
    }
    impl_->head.run(
        model, masked, [&](std::size_t text, std::size_t mask, std::span<const float> logits) {
          result[begin + text][mask] = detail::fillings_of(
              tokenizer, masked[text], masked[text].masks[mask], logits, targets, options.top_k);
        });
  }
  return result;
}

MaskLogits MaskFiller::logits(std::string_view text) const {
  const detail::MaskedText masked = masked_text(impl_->model, {text, std::nullopt}, impl_->mask);
  MaskLogits result{masked.masks, Tensor{masked.masks.size(), impl_->head.vocabulary()}};
  impl_->head.run(impl_->model, {&masked, 1},
                  [&](std::size_t, std::size_t mask, std::span<const float> logits) {
                    std::ranges::copy(logits, result.logits.at(mask).begin());
                  });
  return result;
}

std::vector<std::vector<Filling>> MaskFiller::fill_one(std::string_view text,
                                                       const FillMaskOptions& options) const {
  return std::move(fill(Texts(text), options).front());
}

}  // namespace klue
