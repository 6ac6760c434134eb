#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
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
#include <klue/encoder/embeddings.hpp>
#include <klue/encoder/layer.hpp>
#include <klue/encoder/pooling.hpp>
#include <klue/encoder/token_batch.hpp>
#include <klue/encoder/weights.hpp>
#include <klue/encoder/workspace.hpp>
#include <klue/linear/linear.hpp>

namespace klue {

struct EncoderOptions {
  Engine engine = Engine::automatic;
  Precision precision = Precision::f32;
  /// Tokens computed together; longer inputs are worked through in parts of whole sentences.
  std::size_t batch_tokens = 256;
};

/// What to compute and keep.
struct OutputOptions {
  /// Unset: where the checkpoint has a pooler. True: required, and an error where it has none.
  std::optional<bool> pooled_output{};
  bool sequence_output = true;
  bool encoder_outputs = false;
  PaddedRows padded_rows = PaddedRows::zero;
};

/// The outputs of the TF-Hub module.
struct EncoderOutputs {
  /// [batch, hidden]; absent when the checkpoint has no pooler, as klue/roberta-base's has none.
  std::optional<Tensor> pooled_output;
  Tensor sequence_output;  ///< [batch, seq_length, hidden]
  std::vector<Tensor>
      encoder_outputs;  ///< one [batch, seq_length, hidden] per layer, first to last
};

/// A RoBERTa or BERT encoder. Immutable after construction: any number of threads may call it.
class Encoder {
 public:
  /// Packs the weights of a checkpoint. Throws FormatError for a tensor that is missing or does not
  /// have the shape that `config` asks for.
  Encoder(EncoderConfig config, Checkpoint checkpoint, std::shared_ptr<const ThreadPool> pool,
          const EncoderOptions& options = {})
      : config_(std::move(config)),
        checkpoint_(std::move(checkpoint)),
        pool_(std::move(pool)),
        batch_tokens_(options.batch_tokens) {
    const EncoderWeights weights(checkpoint_, options.engine, options.precision, *pool_);
    embeddings_ = std::make_unique<const Embeddings>(config_, weights);
    for (std::size_t i = 0; i < config_.num_hidden_layers; ++i)
      layers_.emplace_back(config_, weights, "encoder.layer." + std::to_string(i));
    if (weights.has("pooler.dense.weight"))
      pooler_ = weights.linear({"pooler.dense"}, config_.hidden_size, config_.hidden_size);
  }

  const EncoderConfig& config() const noexcept { return config_; }
  bool has_pooler() const noexcept { return pooler_ != nullptr; }
  std::size_t batch_tokens() const noexcept { return batch_tokens_; }

  /// Runs a padded batch, as `bert_pack_inputs` makes it. Throws UsageError for inputs whose sizes
  /// disagree, ids outside the model's tables, a row without tokens, a sequence longer than the
  /// position table, and for a pooled_output that the checkpoint cannot give.
  EncoderOutputs operator()(const EncoderInputs& inputs, const OutputOptions& options = {}) const;

  /// Pools each sentence of `batch` into one vector, [poolings × hidden] where there are several of
  /// them, and hands it to sink(sentence, vector); the vector is valid only during the call.
  /// Pooling::automatic is mean here. Throws UsageError for Pooling::pooler without a pooler.
  template <class Sink>
  void pool(const TokenBatch& batch, std::span<const Pooling> poolings, const Sink& sink) const;
  template <class Sink>
  void pool(const TokenBatch& batch, Pooling pooling, const Sink& sink) const {
    pool(batch, std::span<const Pooling>(&pooling, 1), sink);
  }

  /// Throws UsageError that says what to use instead where the checkpoint has no pooler.
  void require_pooler() const {
    if (!has_pooler())
      throw UsageError(
          "this checkpoint has no pooler, so pooled_output would mean nothing; use "
          "mean or cls pooling instead",
          {.file = checkpoint_.file().string(), .field = "pooler.dense.weight"});
  }

 private:
  struct Wanted {
    bool all_rows;  // of the last layer; else the first row of each sentence
  };

  // Runs all layers; after_layer(index, rows) sees each layer's output. Returns the last layer's
  // rows, all or one per sentence.
  template <class AfterLayer>
  Rows run(const TokenBatch& batch, Wanted wanted, Workspace& workspace,
           const AfterLayer& after_layer) const;

  Rows select_first_rows(const TokenBatch& batch, Rows hidden, Workspace& workspace) const {
    for (std::size_t s = 0; s < batch.sentences(); ++s)
      std::copy_n(hidden.data + batch.first_token[s] * hidden.stride, config_.hidden_size,
                  workspace.selected.data() + s * config_.hidden_size);
    return {workspace.selected.data(), batch.sentences(), config_.hidden_size};
  }

  // tanh(W · first token + b) into out, [sentences, hidden].
  void apply_pooler(Rows first_rows, float* out, Workspace& workspace) const {
    pooler_->apply(first_rows, {out, first_rows.count, config_.hidden_size},
                   {.activation = Activation::tanh}, workspace.activations, *pool_);
  }

  static void check_sizes(const EncoderInputs& inputs);

  // Appends sentences from `first` on until the batch is full; returns the first one left out.
  std::size_t fill(TokenBatchBuilder& builder, std::vector<std::size_t>& columns,
                   const EncoderInputs& inputs, std::size_t first, PaddedRows padded) const;

  EncoderConfig config_;
  Checkpoint checkpoint_;
  std::shared_ptr<const ThreadPool> pool_;
  std::size_t batch_tokens_;
  std::unique_ptr<const Embeddings> embeddings_;
  std::vector<EncoderLayer> layers_;
  std::unique_ptr<const Linear> pooler_;
  mutable WorkspacePool workspaces_;
};

inline void Encoder::check_sizes(const EncoderInputs& inputs) {
  const auto check = [&](const char* field, std::size_t size) {
    std::size_t expected = 0;
    if (__builtin_mul_overflow(inputs.batch, inputs.seq_length, &expected) || size != expected)
      throw UsageError("wrong number of values",
                       {.field = field,
                        .expected = "batch × seq_length = " + std::to_string(inputs.batch) + " × " +
                                    std::to_string(inputs.seq_length),
                        .actual = std::to_string(size)});
  };
  check("input_word_ids", inputs.input_word_ids.size());
  check("input_mask", inputs.input_mask.size());
  check("input_type_ids", inputs.input_type_ids.size());
}

template <class AfterLayer>
Rows Encoder::run(const TokenBatch& batch, Wanted wanted, Workspace& workspace,
                  const AfterLayer& after_layer) const {
  workspace.reserve(config_, batch.tokens(),
                    SelfAttention::scratch_per_lane(config_, batch) * pool_->threads());
  const Rows hidden{workspace.hidden.data(), batch.tokens(), config_.hidden_size};
  embeddings_->apply(batch, hidden.data, *pool_);
  QueryRows queries{hidden, batch.first_token};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (i + 1 == layers_.size() && !wanted.all_rows) {
      workspace.first_query.resize(batch.sentences() + 1);
      std::iota(workspace.first_query.begin(), workspace.first_query.end(), std::size_t{0});
      queries = {select_first_rows(batch, hidden, workspace), workspace.first_query};
    }
    layers_[i].apply(batch, hidden, queries, workspace, *pool_);
    after_layer(i, queries.rows);
  }
  return queries.rows;
}

inline std::size_t Encoder::fill(TokenBatchBuilder& builder, std::vector<std::size_t>& columns,
                                 const EncoderInputs& inputs, std::size_t first,
                                 PaddedRows padded) const {
  builder.clear();
  columns.clear();
  std::size_t next = first;
  do {
    builder.append(inputs.word_ids(next), inputs.mask(next), inputs.type_ids(next), padded,
                   &columns);
    ++next;
  } while (next < inputs.batch && builder.batch().tokens() + inputs.seq_length <= batch_tokens_);
  return next;
}

inline EncoderOutputs Encoder::operator()(const EncoderInputs& inputs,
                                          const OutputOptions& options) const {
  check_sizes(inputs);
  if (options.pooled_output.value_or(false)) require_pooler();
  const bool pooled = has_pooler() && options.pooled_output.value_or(true);
  const bool all_rows = options.sequence_output || options.encoder_outputs;
  const std::size_t hidden = config_.hidden_size;

  EncoderOutputs outputs;
  const auto dense = [&] { return Tensor{inputs.batch, inputs.seq_length, hidden}; };
  if (options.sequence_output) outputs.sequence_output = dense();
  if (options.encoder_outputs)
    for (std::size_t i = 0; i < layers_.size(); ++i)
      outputs.encoder_outputs.push_back(dense());
  if (pooled) outputs.pooled_output.emplace(Tensor{inputs.batch, hidden});
  if (!pooled && !all_rows) return outputs;

  TokenBatchBuilder builder(config_);
  std::vector<std::size_t> columns;  // of every row of the batch
  const TokenBatch& batch = builder.batch();
  const WorkspacePool::Lease lease = workspaces_.take();
  for (std::size_t first = 0, next = 0; first < inputs.batch; first = next) {
    next = fill(builder, columns, inputs, first, options.padded_rows);
    const auto scatter = [&](Rows rows, Tensor& tensor) {
      for (std::size_t s = 0; s < batch.sentences(); ++s)
        for (std::size_t t = batch.first_token[s]; t < batch.first_token[s + 1]; ++t)
          if (inputs.mask(first + s)[columns[t]] == 1 ||
              options.padded_rows == PaddedRows::reference)
            std::copy_n(rows.data + t * hidden, hidden, tensor.at(first + s, columns[t]).data());
    };
    const Rows last = run(batch, {all_rows}, *lease, [&](std::size_t layer, Rows rows) {
      if (options.encoder_outputs) scatter(rows, outputs.encoder_outputs[layer]);
    });
    if (options.sequence_output) scatter(last, outputs.sequence_output);
    if (pooled)
      apply_pooler(all_rows ? select_first_rows(batch, last, *lease) : last,
                   outputs.pooled_output->at(first).data(), *lease);
  }
  return outputs;
}

template <class Sink>
void Encoder::pool(const TokenBatch& batch, std::span<const Pooling> poolings,
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

}  // namespace klue
