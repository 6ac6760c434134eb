#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/detail/attention.hpp>
#include <klue/encoder/detail/layer_norm.hpp>
#include <klue/encoder/detail/token_batch.hpp>
#include <klue/encoder/detail/weights.hpp>
#include <klue/encoder/detail/workspace.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// One transformer layer with normalisation after each residual connection, as BERT has it.
class EncoderLayer {
 public:
  /// `name`: "encoder.layer.0".
  EncoderLayer(const EncoderConfig& config, const EncoderWeights& weights, const std::string& name);

  /// Replaces queries.rows by their outputs; `hidden` are the rows of the whole batch, which they
  /// attend to, and may be the same memory.
  void apply(const TokenBatch& batch, ConstRows hidden, const QueryRows& queries,
             Workspace& workspace, const ThreadPool& pool) const;

  std::size_t memory_bytes() const noexcept {
    return attention_.memory_bytes() + attention_norm_.memory_bytes() +
           intermediate_->memory_bytes() + output_->memory_bytes() + output_norm_.memory_bytes();
  }

 private:
  static void normalise(const LayerNorm& norm, Rows rows, const ThreadPool& pool);

  Activation activation_;
  SelfAttention attention_;
  LayerNorm attention_norm_;
  std::unique_ptr<const Linear> intermediate_, output_;
  LayerNorm output_norm_;
};

}  // namespace klue::detail
