#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include <klue/core/detail/aligned_buffer.hpp>
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
  Embeddings(const EncoderConfig& config, const EncoderWeights& weights)
      : width_(config.embedding_width()),
        words_(
            weights.tensors().at("embeddings.word_embeddings.weight", {config.vocab_size, width_})),
        positions_(weights.read("embeddings.position_embeddings.weight",
                                {config.max_position_embeddings, width_})),
        types_(weights.read("embeddings.token_type_embeddings.weight",
                            {config.type_vocab_size, width_})),
        norm_(weights, "embeddings.LayerNorm", width_, config.layer_norm_eps) {
    if (config.projects_embeddings())
      projection_ = weights.linear({"embeddings_project"}, width_, config.hidden_size);
  }

  /// workspace.hidden: [tokens, hidden_size].
  void apply(const TokenBatch& batch, Workspace& workspace, const ThreadPool& pool) const {
    if (projection_ == nullptr) return embed(batch, workspace.hidden.data(), pool);
    embed(batch, workspace.embedded.data(), pool);
    projection_->apply({workspace.embedded.data(), batch.tokens(), width_},
                       {workspace.hidden.data(), batch.tokens(), projection_->out_features()}, {},
                       workspace.activations, pool);
  }

 private:
  void embed(const TokenBatch& batch, float* rows, const ThreadPool& pool) const {
    constexpr std::size_t kTokensPerTask = 32;
    const std::size_t tasks = (batch.tokens() + kTokensPerTask - 1) / kTokensPerTask;
    pool.parallel_for(tasks, [&](std::size_t task, std::size_t) {
      const std::size_t first = task * kTokensPerTask;
      const std::size_t last = std::min(first + kTokensPerTask, batch.tokens());
      for (std::size_t token = first; token < last; ++token)
        sum_rows(batch, token, {rows + token * width_, width_});
      norm_.apply(rows + first * width_, last - first);
    });
  }

  void sum_rows(const TokenBatch& batch, std::size_t token, std::span<float> out) const {
    const auto row = [&](std::int32_t index) { return static_cast<std::size_t>(index) * width_; };
    words_.read(row(batch.word_ids[token]), out);
    const float* const position = positions_.data() + row(batch.position_ids[token]);
    const float* const type = types_.data() + row(batch.type_ids[token]);
    for (std::size_t i = 0; i < width_; ++i)
      out[i] += type[i] + position[i];
  }

  std::size_t width_;
  TensorView words_;
  AlignedBuffer<float> positions_, types_;
  LayerNorm norm_;
  std::unique_ptr<const Linear> projection_;  // where the tables are not as wide as the layers
};

}  // namespace klue::detail
