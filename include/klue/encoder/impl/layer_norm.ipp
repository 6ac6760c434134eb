#include <string>

#include <klue/encoder/detail/layer_norm.hpp>
#include <klue/kernels/detail/kernels.hpp>

namespace klue::detail {

LayerNorm::LayerNorm(const EncoderWeights& weights, std::string_view name, std::size_t features,
                     float epsilon)
    : gamma_(read(weights, name, ".weight", ".gamma", features)),
      beta_(read(weights, name, ".bias", ".beta", features)),
      epsilon_(epsilon) {}

void LayerNorm::apply(float* x, std::size_t rows) const {
  kernels::active().layer_norm(x, rows, gamma_.size(), gamma_.data(), beta_.data(), epsilon_, x);
}

AlignedBuffer<float> LayerNorm::read(const EncoderWeights& weights, std::string_view name,
                                     std::string_view suffix, std::string_view old_suffix,
                                     std::size_t features) {
  const std::string old_name = std::string(name).append(old_suffix);
  return weights.read(weights.tensors().has(old_name) ? old_name : std::string(name).append(suffix),
                      {features});
}

}  // namespace klue::detail
