#pragma once

#include <cstddef>
#include <string_view>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/heap_bytes.hpp>
#include <klue/encoder/detail/weights.hpp>

namespace klue::detail {

/// Layer normalisation over the features of each row (Ba et al. 2016), biased variance.
class LayerNorm {
 public:
  LayerNorm(const EncoderWeights& weights, std::string_view name, std::size_t features,
            float epsilon);

  /// In place, on [rows, features] without gaps.
  void apply(float* x, std::size_t rows) const;

  std::size_t memory_bytes() const noexcept { return heap_bytes(gamma_) + heap_bytes(beta_); }

 private:
  // Checkpoints converted from TensorFlow before 2019 say gamma and beta.
  static AlignedBuffer<float> read(const EncoderWeights& weights, std::string_view name,
                                   std::string_view suffix, std::string_view old_suffix,
                                   std::size_t features);

  AlignedBuffer<float> gamma_, beta_;
  float epsilon_;
};

}  // namespace klue::detail
