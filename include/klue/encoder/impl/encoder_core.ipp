#include <klue/encoder/detail/encoder_core.hpp>

namespace klue::detail {

EncoderCore::EncoderCore(EncoderConfig config, Checkpoint checkpoint,
                         std::shared_ptr<const ThreadPool> pool, const EncoderOptions& options)
    : config_(std::move(config)),
      checkpoint_(std::move(checkpoint)),
      pool_(std::move(pool)),
      batch_tokens_(options.batch_tokens),
      engine_(options.engine),
      precision_(chosen_precision(options.engine, options.precision)) {
  const EncoderWeights weights(checkpoint_, options.engine, options.precision,
                               options.weight_expansion, *pool_);
  embeddings_ = std::make_unique<const Embeddings>(config_, weights);
  for (std::size_t i = 0; i < config_.num_hidden_layers; ++i)
    layers_.emplace_back(config_, weights, "encoder.layer." + std::to_string(i));
  if (weights.tensors().has("pooler.dense.weight"))
    pooler_ = weights.linear({"pooler.dense"}, config_.hidden_size, config_.hidden_size);
}

std::size_t EncoderCore::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + sizeof(Embeddings) + embeddings_->memory_bytes() +
                      heap_bytes(layers_) + checkpoint_.memory_bytes() + workspaces_.memory_bytes();
  for (const EncoderLayer& layer : layers_)
    bytes += layer.memory_bytes();
  if (pooler_ != nullptr) bytes += pooler_->memory_bytes();
  return bytes;
}

void EncoderCore::require_pooler() const {
  if (!has_pooler())
    throw UsageError(
        "this checkpoint has no pooler, so pooled_output would mean nothing; use "
        "mean or cls pooling instead",
        {.file = checkpoint_.file().string(), .field = "pooler.dense.weight"});
}

Rows EncoderCore::select_first_rows(const TokenBatch& batch, Rows hidden,
                                    Workspace& workspace) const {
  for (std::size_t s = 0; s < batch.sentences(); ++s)
    std::copy_n(hidden.data + batch.first_token[s] * hidden.stride, config_.hidden_size,
                workspace.selected.data() + s * config_.hidden_size);
  return {workspace.selected.data(), batch.sentences(), config_.hidden_size};
}

Rows EncoderCore::select_rows(const ChosenRows& chosen, Rows hidden, Workspace& workspace) const {
  for (std::size_t i = 0; i < chosen.rows.size(); ++i)
    std::copy_n(hidden.data + chosen.rows[i] * hidden.stride, config_.hidden_size,
                workspace.selected.data() + i * config_.hidden_size);
  return {workspace.selected.data(), chosen.rows.size(), config_.hidden_size};
}

void EncoderCore::apply_pooler(Rows first_rows, float* out, Workspace& workspace) const {
  pooler_->apply(first_rows, {out, first_rows.count, config_.hidden_size},
                 {.activation = Activation::tanh}, workspace.activations, *pool_);
}

void EncoderCore::check_sizes(const EncoderInputs& inputs) {
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

std::size_t EncoderCore::fill(TokenBatchBuilder& builder, std::vector<std::size_t>& columns,
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

EncoderOutputs EncoderCore::operator()(const EncoderInputs& inputs,
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

}  // namespace klue::detail
