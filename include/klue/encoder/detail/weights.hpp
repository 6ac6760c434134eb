#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// Finds an encoder's tensors in a checkpoint by their Hugging Face names and turns them into what
/// the encoder works with. The encoder of a bare model has no prefix, that of a model with a head
/// has "roberta." or "bert."; tensors that the encoder does not need are no concern of it.
class EncoderWeights {
 public:
  /// Throws FormatError where the checkpoint holds no encoder under any known prefix.
  EncoderWeights(const Checkpoint& checkpoint, Engine engine, Precision precision,
                 const ThreadPool& pool)
      : checkpoint_(&checkpoint),
        engine_(engine),
        precision_(precision),
        pool_(&pool),
        prefix_(find_prefix()) {}

  bool has(std::string_view name) const { return checkpoint_->find(full(name)) != nullptr; }

  /// The tensor of that name. Throws FormatError, with the full name, where it is missing, has
  /// another shape or holds no floating-point numbers.
  const TensorView& tensor(std::string_view name, std::initializer_list<std::size_t> shape) const {
    const TensorView* found = checkpoint_->find(full(name));
    const std::string expected = shape_string({shape.begin(), shape.size()});
    if (found == nullptr) fail("tensor missing", name, expected, "");
    if (!std::equal(found->shape.begin(), found->shape.end(), shape.begin(), shape.end()))
      fail("wrong shape", name, expected, shape_string(found->shape));
    if (found->dtype != DType::f32 && found->dtype != DType::f16 && found->dtype != DType::bf16 &&
        found->dtype != DType::f64)
      fail("not floating-point", name, "F32, F16 or BF16", std::string(dtype_name(found->dtype)));
    return *found;
  }

  AlignedBuffer<float> vector(std::string_view name, std::size_t size) const {
    AlignedBuffer<float> values(size);
    tensor(name, {size}).read(0, values.span());
    return values;
  }

  /// The layer `name`.weight [out_features, in_features] and `name`.bias, packed for the engine.
  /// The layers of several names that read the same input become one, their outputs side by side.
  /// The mapped pages that were copied are given back to the system.
  std::unique_ptr<const Linear> linear(std::initializer_list<std::string_view> names,
                                       std::size_t in_features,
                                       std::size_t out_features_each) const {
    std::vector<const TensorView*> weights, biases;
    for (const std::string_view name : names) {
      weights.push_back(&tensor(joined(name, ".weight"), {out_features_each, in_features}));
      biases.push_back(&tensor(joined(name, ".bias"), {out_features_each}));
    }
    LinearSource source{.in_features = in_features,
                        .out_features = out_features_each * names.size()};
    source.read_rows = [&](std::size_t first, std::span<float> rows) {
      // A block may begin in one tensor and end in the next.
      for (std::size_t feature = first; !rows.empty();) {
        const std::size_t row = feature % out_features_each;
        const std::size_t count = std::min(rows.size() / in_features, out_features_each - row);
        weights[feature / out_features_each]->read(row * in_features,
                                                   rows.first(count * in_features));
        rows = rows.subspan(count * in_features);
        feature += count;
      }
    };
    source.read_bias = [&](std::span<float> bias) {
      for (std::size_t i = 0; i < biases.size(); ++i)
        biases[i]->read(0, bias.subspan(i * out_features_each, out_features_each));
    };
    auto layer = make_linear(engine_, precision_, source, *pool_);
    for (const TensorView* weight : weights)
      MappedFile::release(weight->bytes);
    return layer;
  }

  static std::string joined(std::string_view a, std::string_view b) {
    return std::string(a).append(b);
  }

 private:
  std::string find_prefix() const {
    constexpr std::array<std::string_view, 3> kPrefixes{"", "roberta.", "bert."};
    for (const std::string_view prefix : kPrefixes)
      if (checkpoint_->find(joined(prefix, "embeddings.word_embeddings.weight")) != nullptr)
        return std::string(prefix);
    throw FormatError("no RoBERTa or BERT encoder in this file",
                      {.file = checkpoint_->file().string(),
                       .expected = "embeddings.word_embeddings.weight, or the same under roberta. "
                                   "or bert."});
  }

  std::string full(std::string_view name) const { return joined(prefix_, name); }

  [[noreturn]] void fail(const char* message, std::string_view name, std::string expected,
                         std::string actual) const {
    throw FormatError(message, {.file = checkpoint_->file().string(),
                                .field = full(name),
                                .expected = std::move(expected),
                                .actual = std::move(actual)});
  }

  const Checkpoint* checkpoint_;
  Engine engine_;
  Precision precision_;
  const ThreadPool* pool_;
  std::string prefix_;
};

}  // namespace klue::detail
