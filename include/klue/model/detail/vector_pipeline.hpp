#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <klue/checkpoint/detail/tensor_lookup.hpp>
#include <klue/core/tensor.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/pooling.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// activation(W · vector + b), W [out_features, in_features].
struct Dense {
  std::unique_ptr<const Linear> linear;
  Activation activation = Activation::none;
};

/// Makes the vector one of length 1.
struct Normalize {};

using VectorModule = std::variant<Dense, Normalize>;

/// How the token vectors of a text become what a model was trained to give: poolings side by side,
/// then modules one after another. sentence-transformers' models and classifiers are both this.
struct VectorPipeline {
  std::vector<Pooling> poolings{Pooling::mean};
  std::vector<VectorModule> modules{};

  /// Numbers of the vector that comes out, for token vectors of `hidden`.
  std::size_t width(std::size_t hidden) const;

  /// Of the Dense layers.
  std::size_t memory_bytes() const noexcept;

  /// "Dense 768 → 256, tanh" and so on, for people.
  std::vector<std::string> module_names() const;
};

/// What multiplies the weights of a pipeline. They are float32 whatever the encoder's precision: a
/// thousandth of the work, and the last thing that touches the result.
struct PipelineEngine {
  Engine engine;
  const ThreadPool& pool;
};

/// The names of a layer's tensors; no bias where that name is empty.
struct DenseNames {
  std::string_view weight, bias;
};

/// Packs a layer of a checkpoint. Throws FormatError, with the tensor's name, where one is missing,
/// has another shape or holds no floating-point numbers.
Dense make_dense(const TensorLookup& tensors, const DenseNames& names, std::size_t in_features,
                 std::size_t out_features, Activation activation, const PipelineEngine& engine);

/// Runs the modules on pooled vectors, [texts, width of the poolings] → [texts, width]. Each row
/// depends on its own row alone, to the bit.
Tensor run_modules(const VectorPipeline& pipeline, Tensor vectors, const ThreadPool& pool);

}  // namespace klue::detail
