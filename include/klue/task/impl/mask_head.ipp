#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <klue/checkpoint/detail/tensor_lookup.hpp>
#include <klue/core/error.hpp>
#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/model/detail/head.hpp>
#include <klue/task/detail/mask_head.hpp>
#include <klue/task/detail/token_head.hpp>

namespace klue::detail {
namespace {

/// What a masked language model calls its tensors.
struct MaskHeadNames {
  std::string_view prefix;       ///< by which the head is known
  std::string_view dense, norm;  ///< without .weight and .bias
  std::string_view decoder;      ///< without .weight
  std::array<std::string_view, 2>
      biases;  ///< the decoder's; of two that are there the first counts
};

constexpr std::array<MaskHeadNames, 3> kMaskHeads{
    {{"lm_head.",
      "lm_head.dense",
      "lm_head.layer_norm",
      "lm_head.decoder",
      {"lm_head.decoder.bias", "lm_head.bias"}},
     {"cls.predictions.",
      "cls.predictions.transform.dense",
      "cls.predictions.transform.LayerNorm",
      "cls.predictions.decoder",
      {"cls.predictions.decoder.bias", "cls.predictions.bias"}},
     {"generator_predictions.",
      "generator_predictions.dense",
      "generator_predictions.LayerNorm",
      "generator_lm_head",
      {"generator_lm_head.bias", "generator_lm_head.bias"}}}};

std::string mask_tensor(std::string_view name, std::string_view suffix) {
  return std::string(name).append(suffix);
}

const MaskHeadNames& find_mask_head(const Checkpoint& checkpoint) {
  for (const MaskHeadNames& names : kMaskHeads) {
    const auto found = checkpoint.tensors().lower_bound(names.prefix);
    if (found != checkpoint.tensors().end() && found->first.starts_with(names.prefix)) return names;
  }
  return kMaskHeads.front();
}

/// Features that the dense layer gives: the hidden size, or ELECTRA's embedding size.
std::size_t mask_head_width(const Checkpoint& checkpoint, const MaskHeadNames& names) {
  const TensorView* weight = checkpoint.find(mask_tensor(names.dense, ".weight"));
  return weight == nullptr || weight->shape.empty() ? 1
                                                    : std::max<std::size_t>(1, weight->shape[0]);
}

/// The word embeddings, which are the decoder unless config.json sets tie_word_embeddings to false.
std::string mask_decoder_weight(const Model& model, const Checkpoint& checkpoint,
                                const MaskHeadNames& names) {
  if (model.head_config().tie_word_embeddings)
    return TensorLookup::of_encoder(checkpoint).full_name("embeddings.word_embeddings.weight");
  return mask_tensor(names.decoder, ".weight");
}

AlignedBuffer<float> mask_norm(const TensorLookup& tensors, const MaskHeadNames& names,
                               std::string_view suffix, std::string_view old_suffix,
                               std::size_t size) {
  // Checkpoints converted from TensorFlow before 2019 say gamma and beta.
  const std::string old = mask_tensor(names.norm, old_suffix);
  const std::string name = tensors.has(old) ? old : mask_tensor(names.norm, suffix);
  AlignedBuffer<float> values(size);
  tensors.read(name, tensors.at(name, {size}), 0, values.span());
  return values;
}

}  // namespace

MaskHead::MaskHead(const Model& model) {
  const EncoderCore& encoder = model.encoder().core();
  const Checkpoint& checkpoint = encoder.checkpoint();
  const TensorLookup tensors(checkpoint);
  const EncoderConfig& config = encoder.config();
  const PipelineEngine engine{encoder.engine(), encoder.pool()};
  const MaskHeadNames& names = find_mask_head(checkpoint);
  const std::size_t width = mask_head_width(checkpoint, names);
  // BERT's transform has the encoder's activation, the others always GELU.
  const bool bert = names.dense.starts_with("cls.");
  transform_ =
      make_dense(tensors, {mask_tensor(names.dense, ".weight"), mask_tensor(names.dense, ".bias")},
                 config.hidden_size, width, bert ? config.hidden_act : Activation::gelu, engine);
  gamma_ = mask_norm(tensors, names, ".weight", ".gamma", width);
  beta_ = mask_norm(tensors, names, ".bias", ".beta", width);
  epsilon_ = config.layer_norm_eps;
  const bool own_bias = tensors.has(names.biases[0]);
  decoder_ = make_dense(
      tensors, {mask_decoder_weight(model, checkpoint, names), names.biases[own_bias ? 0 : 1]},
      width, config.vocab_size, Activation::none, engine);
}

MaskHead::MaskRows MaskHead::encode(const Model& model, std::span<const MaskedText> texts) const {
  const EncoderCore& encoder = model.encoder().core();
  const std::size_t hidden = encoder.config().hidden_size;
  MaskRows result;
  result.first.push_back(0);
  for (const MaskedText& text : texts)
    result.first.push_back(result.first.back() + text.masks.size());
  result.values = AlignedBuffer<float>(result.first.back() * hidden);
  std::vector<std::size_t> rows, first;
  for_each_batch(
      model, texts.size(), [&](std::size_t i) { return std::span(texts[i].ids); },
      [&](std::size_t i) { return std::span(texts[i].type_ids); },
      [&](const TokenBatch& batch, std::span<const std::size_t> members) {
        rows.clear();
        first.assign(1, 0);
        for (std::size_t s = 0; s < members.size(); ++s) {
          for (const std::size_t mask : texts[members[s]].masks)
            rows.push_back(batch.first_token[s] + mask);
          first.push_back(rows.size());
        }
        encoder.rows(batch, {rows, first}, [&](ConstRows chosen) {
          for (std::size_t s = 0; s < members.size(); ++s)
            std::copy_n(chosen.data + first[s] * hidden, (first[s + 1] - first[s]) * hidden,
                        result.values.data() + result.first[members[s]] * hidden);
        });
      });
  return result;
}

void MaskHead::run(const Model& model, std::span<const MaskedText> texts,
                   const std::function<void(std::size_t text, std::size_t mask,
                                            std::span<const float>)>& sink) const {
  // Masks multiplied together: the vocabulary's matrix is read once for all of them.
  constexpr std::size_t kMasksAtOnce = 64;
  const ThreadPool& pool = model.encoder().core().pool();
  const std::size_t hidden = transform_.linear->in_features(),
                    width = transform_.linear->out_features();
  const MaskRows rows = encode(model, texts);
  const std::size_t count = rows.first.back(), most = std::min(count, kMasksAtOnce);
  AlignedBuffer<float> inner(most * width), logits(most * vocabulary());
  Scratch scratch;
  for (std::size_t begin = 0; begin < count; begin += kMasksAtOnce) {
    const std::size_t masks = std::min(kMasksAtOnce, count - begin);
    transform_.linear->apply({rows.values.data() + begin * hidden, masks, hidden},
                             {inner.data(), masks, width}, {.activation = transform_.activation},
                             scratch, pool);
    kernels::active().layer_norm(inner.data(), masks, width, gamma_.data(), beta_.data(), epsilon_,
                                 inner.data());
    decoder_.linear->apply({inner.data(), masks, width}, {logits.data(), masks, vocabulary()}, {},
                           scratch, pool);
    pool.parallel_for(masks, [&](std::size_t i, std::size_t) {
      const auto after = std::ranges::upper_bound(rows.first, begin + i);
      const auto text = static_cast<std::size_t>(after - rows.first.begin()) - 1;
      sink(text, begin + i - rows.first[text],
           logits.span().subspan(i * vocabulary(), vocabulary()));
    });
  }
}

}  // namespace klue::detail
