#include <algorithm>

#include <klue/encoder/detail/layer.hpp>

namespace klue::detail {

EncoderLayer::EncoderLayer(const EncoderConfig& config, const EncoderWeights& weights,
                           const std::string& name)
    : activation_(config.hidden_act),
      attention_(config, weights, name + ".attention"),
      attention_norm_(weights, name + ".attention.output.LayerNorm", config.hidden_size,
                      config.layer_norm_eps),
      intermediate_(weights.linear({name + ".intermediate.dense"}, config.hidden_size,
                                   config.intermediate_size)),
      output_(
          weights.linear({name + ".output.dense"}, config.intermediate_size, config.hidden_size)),
      output_norm_(weights, name + ".output.LayerNorm", config.hidden_size, config.layer_norm_eps) {
}

void EncoderLayer::apply(const TokenBatch& batch, ConstRows hidden, const QueryRows& queries,
                         Workspace& workspace, const ThreadPool& pool) const {
  attention_.apply(batch, hidden, queries, workspace, pool);
  normalise(attention_norm_, queries.rows, pool);
  const Rows inner{workspace.inner.data(), queries.rows.count, output_->input_stride()};
  intermediate_->apply(queries.rows, inner, {.activation = activation_}, workspace.activations,
                       pool);
  output_->apply(inner, queries.rows, {.residual = queries.rows}, workspace.activations, pool);
  normalise(output_norm_, queries.rows, pool);
}

void EncoderLayer::normalise(const LayerNorm& norm, Rows rows, const ThreadPool& pool) {
  constexpr std::size_t kRowsPerTask = 32;
  const std::size_t tasks = (rows.count + kRowsPerTask - 1) / kRowsPerTask;
  pool.parallel_for(tasks, [&](std::size_t task, std::size_t) {
    const std::size_t first = task * kRowsPerTask;
    norm.apply(rows.data + first * rows.stride, std::min(kRowsPerTask, rows.count - first));
  });
}

}  // namespace klue::detail
