#include <algorithm>
#include <string_view>

#include <klue/encoder/detail/embeddings.hpp>

namespace klue::detail {
namespace {

constexpr std::string_view kWordTable = "embeddings.word_embeddings.weight";

}  // namespace

Embeddings::Embeddings(const EncoderConfig& config, const EncoderWeights& weights)
    : width_(config.embedding_width()),
      tensors_(weights.tensors()),
      words_(tensors_.at(kWordTable, {config.vocab_size, width_})),
      positions_(weights.read("embeddings.position_embeddings.weight",
                              {config.max_position_embeddings, width_})),
      types_(weights.read("embeddings.token_type_embeddings.weight",
                          {config.type_vocab_size, width_})),
      norm_(weights, "embeddings.LayerNorm", width_, config.layer_norm_eps) {
  if (config.projects_embeddings())
    projection_ = weights.linear({"embeddings_project"}, width_, config.hidden_size);
}

void Embeddings::apply(const TokenBatch& batch, Workspace& workspace,
                       const ThreadPool& pool) const {
  if (projection_ == nullptr) return embed(batch, workspace.hidden.data(), pool);
  embed(batch, workspace.embedded.data(), pool);
  projection_->apply({workspace.embedded.data(), batch.tokens(), width_},
                     {workspace.hidden.data(), batch.tokens(), projection_->out_features()}, {},
                     workspace.activations, pool);
}

void Embeddings::embed(const TokenBatch& batch, float* rows, const ThreadPool& pool) const {
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

void Embeddings::sum_rows(const TokenBatch& batch, std::size_t token, std::span<float> out) const {
  const auto row = [&](std::int32_t index) { return static_cast<std::size_t>(index) * width_; };
  tensors_.read(kWordTable, words_, row(batch.word_ids[token]), out);
  const float* const position = positions_.data() + row(batch.position_ids[token]);
  const float* const type = types_.data() + row(batch.type_ids[token]);
  for (std::size_t i = 0; i < width_; ++i)
    out[i] += type[i] + position[i];
}

}  // namespace klue::detail
