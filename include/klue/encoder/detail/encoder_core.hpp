#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/encoder_inputs.hpp>
#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/detail/embeddings.hpp>
#include <klue/encoder/detail/layer.hpp>
#include <klue/encoder/detail/pool_rows.hpp>
#include <klue/encoder/detail/token_batch.hpp>
#include <klue/encoder/detail/weights.hpp>
#include <klue/encoder/detail/workspace.hpp>
#include <klue/encoder/encoder.hpp>
#include <klue/encoder/pooling.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// Some rows of a batch: those of sentence s are rows[first[s]] … rows[first[s + 1] - 1].
struct ChosenRows {
  std::span<const std::size_t> rows, first;
};

/// What is behind `Encoder`: the layers, and batches of sentences whose tokens lie one after
/// another. Immutable after construction: any number of threads may call it.
class EncoderCore {
 public:
  /// Packs the weights of a checkpoint. Throws FormatError for a tensor that is missing or does not
  /// have the shape that `config` asks for.
  EncoderCore(EncoderConfig config, Checkpoint checkpoint, std::shared_ptr<const ThreadPool> pool,
              const EncoderOptions& options);

  const EncoderConfig& config() const noexcept { return config_; }
  bool has_pooler() const noexcept { return pooler_ != nullptr; }
  std::size_t batch_tokens() const noexcept { return batch_tokens_; }

  /// What the encoder was made of and with, for the heads that stand on it.
  const Checkpoint& checkpoint() const noexcept { return checkpoint_; }
  const ThreadPool& pool() const noexcept { return *pool_; }
  Engine engine() const noexcept { return engine_; }

  /// Weights and the workspaces of calls that are over; the checkpoint's where it is not mapped.
  std::size_t memory_bytes() const;

  /// Runs a padded batch, as `bert_pack_inputs` makes it. Throws UsageError for inputs whose sizes
  /// disagree, ids outside the model's tables, a row without tokens, a sequence longer than the
  /// position table, and for a pooled_output that the checkpoint cannot give.
  EncoderOutputs operator()(const EncoderInputs& inputs, const OutputOptions& options) const;

  /// Pools each sentence of `batch` into one vector, [poolings × hidden] where there are several of
  /// them, and hands it to sink(sentence, vector); the vector is valid only during the call.
  /// Pooling::automatic is mean here. Throws UsageError for Pooling::pooler without a pooler.
  template <class Sink>
  void pool(const TokenBatch& batch, std::span<const Pooling> poolings, const Sink& sink) const;
  template <class Sink>
  void pool(const TokenBatch& batch, Pooling pooling, const Sink& sink) const {
    pool(batch, std::span<const Pooling>(&pooling, 1), sink);
  }

  /// Hands the rows of the last layer, [tokens, hidden] in the order of the batch, to sink(rows);
  /// they are valid only during the call.
  template <class Sink>
  void rows(const TokenBatch& batch, const Sink& sink) const;

  /// The same for some rows alone: the last layer is computed for no others.
  template <class Sink>
  void rows(const TokenBatch& batch, const ChosenRows& chosen, const Sink& sink) const;

  /// Throws UsageError that says what to use instead where the checkpoint has no pooler.
  void require_pooler() const;

 private:
  struct Wanted {
    bool all_rows;                       // of the last layer; else the first row of each sentence
    const ChosenRows* chosen = nullptr;  // or these
  };

  // Runs all layers; after_layer(index, rows) sees each layer's output. Returns the last layer's
  // rows, all or one per sentence.
  template <class AfterLayer>
  Rows run(const TokenBatch& batch, Wanted wanted, Workspace& workspace,
           const AfterLayer& after_layer) const;

  Rows select_first_rows(const TokenBatch& batch, Rows hidden, Workspace& workspace) const;
  Rows select_rows(const ChosenRows& chosen, Rows hidden, Workspace& workspace) const;

  // tanh(W · first token + b) into out, [sentences, hidden].
  void apply_pooler(Rows first_rows, float* out, Workspace& workspace) const;

  static void check_sizes(const EncoderInputs& inputs);

  // Appends sentences from `first` on until the batch is full; returns the first one left out.
  std::size_t fill(TokenBatchBuilder& builder, std::vector<std::size_t>& columns,
                   const EncoderInputs& inputs, std::size_t first, PaddedRows padded) const;

  EncoderConfig config_;
  Checkpoint checkpoint_;
  std::shared_ptr<const ThreadPool> pool_;
  std::size_t batch_tokens_;
  Engine engine_;
  Precision precision_;
  std::unique_ptr<const Embeddings> embeddings_;
  std::vector<EncoderLayer> layers_;
  std::unique_ptr<const Linear> pooler_;
  mutable WorkspacePool workspaces_;
};

template <class AfterLayer>
Rows EncoderCore::run(const TokenBatch& batch, Wanted wanted, Workspace& workspace,
                      const AfterLayer& after_layer) const {
  workspace.reserve(config_, batch.tokens(),
                    SelfAttention::scratch_per_lane(config_, precision_, batch) * pool_->threads());
  const Rows hidden{workspace.hidden.data(), batch.tokens(), config_.hidden_size};
  embeddings_->apply(batch, workspace, *pool_);
  QueryRows queries{hidden, batch.first_token};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (i + 1 == layers_.size() && wanted.chosen != nullptr) {
      queries = {select_rows(*wanted.chosen, hidden, workspace), wanted.chosen->first};
    } else if (i + 1 == layers_.size() && !wanted.all_rows) {
      workspace.first_query.resize(batch.sentences() + 1);
      std::iota(workspace.first_query.begin(), workspace.first_query.end(), std::size_t{0});
      queries = {select_first_rows(batch, hidden, workspace), workspace.first_query};
    }
    layers_[i].apply(batch, hidden, queries, workspace, *pool_);
    after_layer(i, queries.rows);
  }
  return queries.rows;
}

template <class Sink>
void EncoderCore::rows(const TokenBatch& batch, const Sink& sink) const {
  if (batch.sentences() == 0) return;
  const WorkspacePool::Lease lease = workspaces_.take();
  sink(ConstRows(run(batch, {.all_rows = true}, *lease, [](std::size_t, Rows) {})));
}

template <class Sink>
void EncoderCore::rows(const TokenBatch& batch, const ChosenRows& chosen, const Sink& sink) const {
  if (batch.sentences() == 0) return;
  const WorkspacePool::Lease lease = workspaces_.take();
  sink(ConstRows(
      run(batch, {.all_rows = false, .chosen = &chosen}, *lease, [](std::size_t, Rows) {})));
}

template <class Sink>
void EncoderCore::pool(const TokenBatch& batch, std::span<const Pooling> poolings,
                       const Sink& sink) const {
  const bool with_pooler = std::ranges::find(poolings, Pooling::pooler) != poolings.end();
  if (with_pooler) require_pooler();
  if (batch.sentences() == 0) return;
  const std::size_t hidden = config_.hidden_size;
  const WorkspacePool::Lease lease = workspaces_.take();
  const bool first_only = std::ranges::all_of(poolings, pools_first_token);
  const Rows last = run(batch, {!first_only}, *lease, [](std::size_t, Rows) {});
  // The query matrix is free again, and has a row for every sentence.
  float* const pooled = (*lease).query.data();
  if (with_pooler)
    apply_pooler(first_only ? last : select_first_rows(batch, last, *lease), pooled, *lease);
  (*lease).pooled.reserve_discard(poolings.size() * hidden);
  const std::span<float> vector = (*lease).pooled.span().first(poolings.size() * hidden);
  for (std::size_t s = 0; s < batch.sentences(); ++s) {
    float* const rows = last.data + (first_only ? s : batch.first_token[s]) * hidden;
    for (std::size_t i = 0; i < poolings.size(); ++i) {
      const std::span<float> part = vector.subspan(i * hidden, hidden);
      if (poolings[i] == Pooling::pooler)
        std::copy_n(pooled + s * hidden, hidden, part.begin());
      else if (poolings[i] == Pooling::cls)
        std::copy_n(rows, hidden, part.begin());
      else
        pool_rows(poolings[i], rows, batch.keys(s), part);
    }
    sink(s, vector);
  }
}

}  // namespace klue::detail
