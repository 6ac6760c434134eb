#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/detail/layer_norm.hpp>
#include <klue/encoder/detail/token_batch.hpp>
#include <klue/encoder/detail/weights.hpp>

namespace klue::detail {

/// Word + position + token-type embedding, layer-normalised. The word table, a quarter of the
/// model's memory, stays in its file and its type: only the rows of words that occur are ever read.
class Embeddings {
 public:
  Embeddings(const EncoderConfig& config, const EncoderWeights& weights)
      : hidden_(config.hidden_size),
        words_(weights.tensor("embeddings.word_embeddings.weight",
                              {config.vocab_size, config.hidden_size})),
        positions_(read(weights, "embeddings.position_embeddings.weight",
                        config.max_position_embeddings, config.hidden_size)),
        types_(read(weights, "embeddings.token_type_embeddings.weight", config.type_vocab_size,
                    config.hidden_size)),
        norm_(weights, "embeddings.LayerNorm", config.hidden_size, config.layer_norm_eps) {}

  /// hidden: [tokens, hidden_size].
  void apply(const TokenBatch& batch, float* hidden, const ThreadPool& pool) const {
    constexpr std::size_t kTokensPerTask = 32;
    const std::size_t tasks = (batch.tokens() + kTokensPerTask - 1) / kTokensPerTask;
    pool.parallel_for(tasks, [&](std::size_t task, std::size_t) {
      const std::size_t first = task * kTokensPerTask;
      const std::size_t last = std::min(first + kTokensPerTask, batch.tokens());
      for (std::size_t token = first; token < last; ++token)
        sum_rows(batch, token, {hidden + token * hidden_, hidden_});
      norm_.apply(hidden + first * hidden_, last - first);
    });
  }

 private:
  static AlignedBuffer<float> read(const EncoderWeights& weights, std::string_view name,
                                   std::size_t rows, std::size_t columns) {
    AlignedBuffer<float> values(rows * columns);
    weights.tensor(name, {rows, columns}).read(0, values.span());
    return values;
  }

  void sum_rows(const TokenBatch& batch, std::size_t token, std::span<float> out) const {
    const auto row = [&](std::int32_t index) { return static_cast<std::size_t>(index) * hidden_; };
    words_.read(row(batch.word_ids[token]), out);
    const float* const position = positions_.data() + row(batch.position_ids[token]);
    const float* const type = types_.data() + row(batch.type_ids[token]);
    for (std::size_t i = 0; i < hidden_; ++i)
      out[i] += type[i] + position[i];
  }

  std::size_t hidden_;
  TensorView words_;
  AlignedBuffer<float> positions_, types_;
  LayerNorm norm_;
};

}  // namespace klue::detail
