#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <klue/core/detail/budget.hpp>
#include <klue/encoder/detail/weights.hpp>

namespace klue::detail {

EncoderWeights::EncoderWeights(const Checkpoint& checkpoint, Engine engine, Precision precision,
                               std::size_t most_expansion, const ThreadPool& pool)
    : checkpoint_(&checkpoint),
      tensors_(TensorLookup::of_encoder(checkpoint)),
      engine_(engine),
      precision_(chosen_precision(engine, precision)),
      pool_(&pool) {
  if (__builtin_mul_overflow(checkpoint.distinct_bytes(), most_expansion, &left_) ||
      __builtin_add_overflow(left_, budget::kExpandedPlus, &left_))
    left_ = std::numeric_limits<std::size_t>::max();
}

AlignedBuffer<float> EncoderWeights::read(std::string_view name,
                                          std::initializer_list<std::size_t> shape) const {
  const TensorView& tensor = tensors_.at(name, shape);
  spend(name, tensor.element_count());
  AlignedBuffer<float> values(tensor.element_count());
  tensors_.read(name, tensor, 0, values.span());
  return values;
}

std::unique_ptr<const Linear> EncoderWeights::linear(std::initializer_list<std::string_view> names,
                                                     std::size_t in_features,
                                                     std::size_t out_features_each) const {
  std::vector<const TensorView*> weights, biases;
  std::vector<std::string> weight_names, bias_names;
  for (const std::string_view name : names) {
    const std::string& weight = weight_names.emplace_back(std::string(name).append(".weight"));
    weights.push_back(&tensors_.at(weight, {out_features_each, in_features}));
    const std::string& bias = bias_names.emplace_back(std::string(name).append(".bias"));
    biases.push_back(&tensors_.at(bias, {out_features_each}));
    spend(weight, weights.back()->element_count());
  }
  LinearSource source{.in_features = in_features, .out_features = out_features_each * names.size()};
  source.read_rows = [&](std::size_t first, std::span<float> rows) {
    // A block may begin in one tensor and end in the next.
    for (std::size_t feature = first; !rows.empty();) {
      const std::size_t tensor = feature / out_features_each, row = feature % out_features_each;
      const std::size_t count = std::min(rows.size() / in_features, out_features_each - row);
      const std::span<float> part = rows.first(count * in_features);
      tensors_.read(weight_names[tensor], *weights[tensor], row * in_features, part);
      if (precision_ != Precision::f32) fit_low_precision(weight_names[tensor], part);
      rows = rows.subspan(count * in_features);
      feature += count;
    }
  };
  source.read_bias = [&](std::span<float> bias) {
    for (std::size_t i = 0; i < biases.size(); ++i)
      tensors_.read(bias_names[i], *biases[i], 0,
                    bias.subspan(i * out_features_each, out_features_each));
  };
  auto layer = make_linear(engine_, precision_, source, *pool_);
  for (const TensorView* weight : weights)
    checkpoint_->release(*weight);
  return layer;
}

void EncoderWeights::spend(std::string_view name, std::size_t floats) const {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(floats, sizeof(float), &bytes) || bytes > left_)
    tensors_.fail(
        "the layers share so many tensors that they need far more memory than the file "
        "has bytes; LoadOptions::weight_expansion allows it",
        name, "", "");
  left_ -= bytes;
}

void EncoderWeights::fit_low_precision(const std::string& name, std::span<float> weights) const {
  constexpr float kSmallest = 1e-30f, kLargest = 1e30f;
  for (float& weight : weights) {
    if (!(std::abs(weight) <= kLargest))
      tensors_.fail("a weight that low precision cannot hold; use f32", name,
                    "finite numbers up to 1e30", std::to_string(weight));
    if (std::abs(weight) < kSmallest) weight = 0.0f;
  }
}

}  // namespace klue::detail
