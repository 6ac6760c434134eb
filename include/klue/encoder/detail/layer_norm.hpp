#pragma once

#include <cstddef>
#include <string_view>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/encoder/detail/weights.hpp>
#include <klue/kernels/detail/kernels.hpp>

namespace klue::detail {

/// Layer normalisation over the features of each row (Ba et al. 2016), biased variance.
class LayerNorm {
 public:
  LayerNorm(const EncoderWeights& weights, std::string_view name, std::size_t features,
            float epsilon)
      : gamma_(read(weights, name, ".weight", ".gamma", features)),
        beta_(read(weights, name, ".bias", ".beta", features)),
        epsilon_(epsilon) {}

  /// In place, on [rows, features] without gaps.
  void apply(float* x, std::size_t rows) const {
    kernels::active().layer_norm(x, rows, gamma_.size(), gamma_.data(), beta_.data(), epsilon_, x);
  }

 private:
  // Checkpoints converted from TensorFlow before 2019 say gamma and beta.
  static AlignedBuffer<float> read(const EncoderWeights& weights, std::string_view name,
                                   std::string_view suffix, std::string_view old_suffix,
                                   std::size_t features) {
    const std::string old_name = std::string(name).append(old_suffix);
    return weights.read(
        weights.tensors().has(old_name) ? old_name : std::string(name).append(suffix), {features});
  }

  AlignedBuffer<float> gamma_, beta_;
  float epsilon_;
};

}  // namespace klue::detail
