#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/tensor_lookup.hpp>
#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/budget.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// Turns an encoder's tensors into what the encoder works with. Tensors that the encoder does not
/// need are no concern of it.
class EncoderWeights {
 public:
  /// `most_expansion`: how often as much as the checkpoint holds may be made of it. Throws
  /// FormatError where the checkpoint holds no encoder under any known prefix.
  EncoderWeights(const Checkpoint& checkpoint, Engine engine, Precision precision,
                 std::size_t most_expansion, const ThreadPool& pool);

  const TensorLookup& tensors() const noexcept { return tensors_; }

  /// What is multiplied in: never `automatic`.
  Precision precision() const noexcept { return precision_; }

  /// A tensor in C order as float32. Throws as TensorLookup::at does, before it takes memory.
  AlignedBuffer<float> read(std::string_view name, std::initializer_list<std::size_t> shape) const;

  /// The layer `name`.weight [out_features, in_features] and `name`.bias, packed for the engine.
  /// The layers of several names that read the same input become one, their outputs side by side.
  /// The mapped pages that were copied are given back to the system.
  std::unique_ptr<const Linear> linear(std::initializer_list<std::string_view> names,
                                       std::size_t in_features,
                                       std::size_t out_features_each) const;

 private:
  /// Layers may share their tensors, and each is packed by itself: without a limit a small file
  /// could fill any memory.
  void spend(std::string_view name, std::size_t floats) const;

  /// A row that is scaled to a few bits has to have a range; what is far too small for it is
  /// nothing.
  void fit_low_precision(const std::string& name, std::span<float> weights) const;

  const Checkpoint* checkpoint_;
  TensorLookup tensors_;
  Engine engine_;
  Precision precision_;
  const ThreadPool* pool_;
  mutable std::size_t left_ = 0;  // bytes
};

}  // namespace klue::detail
