#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <klue/checkpoint/detail/tensor_lookup.hpp>
#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/heap_bytes.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/detail/layer_norm.hpp>
#include <klue/encoder/detail/token_batch.hpp>
#include <klue/encoder/detail/weights.hpp>
#include <klue/encoder/detail/workspace.hpp>

namespace klue::detail {

/// Word + position + token-type embedding, layer-normalised, and for ELECTRA made as wide as the
/// layers. The word table, a quarter of the
/// model's memory, stays in its file and its type: only the rows of words that occur are ever read.
class Embeddings {
 public:
  Embeddings(const EncoderConfig& config, const EncoderWeights& weights);

  /// workspace.hidden: [tokens, hidden_size].
  void apply(const TokenBatch& batch, Workspace& workspace, const ThreadPool& pool) const;

  /// Without the word table, which is not this object's.
  std::size_t memory_bytes() const noexcept {
    return heap_bytes(positions_) + heap_bytes(types_) + norm_.memory_bytes() +
           (projection_ != nullptr ? projection_->memory_bytes() : 0);
  }

 private:
  void embed(const TokenBatch& batch, float* rows, const ThreadPool& pool) const;

  void sum_rows(const TokenBatch& batch, std::size_t token, std::span<float> out) const;

  std::size_t width_;
  TensorLookup tensors_;
  TensorView words_;
  AlignedBuffer<float> positions_, types_;
  LayerNorm norm_;
  std::unique_ptr<const Linear> projection_;  // where the tables are not as wide as the layers
};

}  // namespace klue::detail
