#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/detail/finite.hpp>
#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>

namespace klue::detail {

/// What stands before the names of an encoder's tensors in a model with a head.
inline constexpr std::array<std::string_view, 4> kEncoderPrefixes{"", "roberta.", "bert.",
                                                                  "electra."};

/// The tensors of a part of a checkpoint, by their names without that part's prefix, checked for
/// what they have to be.
class TensorLookup {
 public:
  explicit TensorLookup(const Checkpoint& checkpoint, std::string prefix = {})
      : checkpoint_(&checkpoint), prefix_(std::move(prefix)) {}

  /// The encoder's. Throws FormatError where the checkpoint holds none under any known prefix.
  static TensorLookup of_encoder(const Checkpoint& checkpoint) {
    constexpr std::string_view kNown = "embeddings.word_embeddings.weight";
    for (const std::string_view prefix : kEncoderPrefixes)
      if (TensorLookup lookup(checkpoint, std::string(prefix)); lookup.has(kNown)) return lookup;
    throw FormatError(
        "no RoBERTa or BERT encoder in this file",
        {.file = checkpoint.file().string(),
         .expected = std::string(kNown) + ", or the same under roberta., bert. or electra."});
  }

  const Checkpoint& checkpoint() const noexcept { return *checkpoint_; }
  std::string full_name(std::string_view name) const { return std::string(prefix_).append(name); }
  bool has(std::string_view name) const { return checkpoint_->find(full_name(name)) != nullptr; }

  /// The tensor of that name. Throws FormatError, with the full name, where it is missing, has
  /// another shape or holds no floating-point numbers.
  const TensorView& at(std::string_view name, std::span<const std::size_t> shape) const {
    const TensorView* found = checkpoint_->find(full_name(name));
    const auto expected = [&] { return shape_string(shape); };
    if (found == nullptr) fail("tensor missing", name, expected(), "");
    if (!std::ranges::equal(found->shape, shape))
      fail("wrong shape", name, expected(), shape_string(found->shape));
    if (found->dtype != DType::f32 && found->dtype != DType::f16 && found->dtype != DType::bf16 &&
        found->dtype != DType::f64)
      fail("not floating-point", name, "F32, F16 or BF16", std::string(dtype_name(found->dtype)));
    return *found;
  }
  const TensorView& at(std::string_view name, std::initializer_list<std::size_t> shape) const {
    return at(name, std::span(shape.begin(), shape.size()));
  }

  /// What TensorView::read reads of the tensor of that name. Throws FormatError where a number is
  /// infinite or NaN, as every result would be.
  void read(std::string_view name, const TensorView& tensor, std::size_t begin,
            std::span<float> out) const {
    tensor.read(begin, out);
    if (!all_finite(out)) fail("a weight that is no number", name, "finite numbers", "");
  }

  /// Throws FormatError about a tensor.
  [[noreturn]] void fail(const char* message, std::string_view name, std::string expected,
                         std::string actual) const {
    throw FormatError(message, {.file = checkpoint_->file().string(),
                                .field = full_name(name),
                                .expected = std::move(expected),
                                .actual = std::move(actual)});
  }

 private:
  const Checkpoint* checkpoint_;
  std::string prefix_;
};

}  // namespace klue::detail
