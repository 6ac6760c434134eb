#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <klue/core/precision.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/detail/token_batch.hpp>
#include <klue/encoder/detail/weights.hpp>
#include <klue/encoder/detail/workspace.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// The rows of a batch whose outputs are wanted: all of them, or one per sentence. Sentence s owns
/// rows [first[s], first[s + 1]) of `rows`.
struct QueryRows {
  Rows rows;
  std::span<const std::size_t> first;
};

/// Multi-head self-attention (Vaswani et al. 2017) with its output projection, sentence by
/// sentence.
class SelfAttention {
 public:
  /// `name`: "encoder.layer.0.attention".
  SelfAttention(const EncoderConfig& config, const EncoderWeights& weights,
                const std::string& name);

  /// queries.rows += output(attention(queries.rows over hidden)). `hidden` are the rows of the
  /// whole batch; queries.rows may be the same memory.
  void apply(const TokenBatch& batch, ConstRows hidden, const QueryRows& queries,
             Workspace& workspace, const ThreadPool& pool) const;

  /// Floats of scratch that one lane needs for the longest sentence of the batch.
  static std::size_t scratch_per_lane(const EncoderConfig& config, Precision precision,
                                      const TokenBatch& batch);

  std::size_t memory_bytes() const noexcept {
    return query_->memory_bytes() + key_value_->memory_bytes() + output_->memory_bytes();
  }

 private:
  void attend(const TokenBatch& batch, Rows query, Rows key_value,
              std::span<const std::size_t> first_query, Rows context, Workspace& workspace,
              const ThreadPool& pool) const;

  std::size_t hidden_, heads_;
  Precision precision_;
  std::unique_ptr<const Linear> query_, key_value_, output_;
};

}  // namespace klue::detail
