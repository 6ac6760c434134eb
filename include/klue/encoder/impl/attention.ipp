#include <algorithm>
#include <cmath>

#include <klue/encoder/detail/attention.hpp>
#include <klue/kernels/detail/kernels.hpp>

namespace klue::detail {

SelfAttention::SelfAttention(const EncoderConfig& config, const EncoderWeights& weights,
                             const std::string& name)
    : hidden_(config.hidden_size),
      heads_(config.num_attention_heads),
      precision_(weights.precision()),
      query_(weights.linear({name + ".self.query"}, hidden_, hidden_)),
      key_value_(weights.linear({name + ".self.key", name + ".self.value"}, hidden_, hidden_)),
      output_(weights.linear({name + ".output.dense"}, hidden_, hidden_)) {}

void SelfAttention::apply(const TokenBatch& batch, ConstRows hidden, const QueryRows& queries,
                          Workspace& workspace, const ThreadPool& pool) const {
  const Rows query{workspace.query.data(), queries.rows.count, hidden_};
  const Rows key_value{workspace.key_value.data(), hidden.count, 2 * hidden_};
  const Rows context{workspace.context.data(), queries.rows.count, hidden_};
  const Prepared all = key_value_->prepare(hidden, workspace.activations, pool);
  key_value_->multiply(all, key_value, {}, pool);
  if (queries.rows.data == hidden.data)
    query_->multiply(all, query, {}, pool);
  else
    query_->apply(queries.rows, query, {}, workspace.activations, pool);
  attend(batch, query, key_value, queries.first, context, workspace, pool);
  output_->apply(context, queries.rows, {.residual = queries.rows}, workspace.activations, pool);
}

std::size_t SelfAttention::scratch_per_lane(const EncoderConfig& config, Precision precision,
                                            const TokenBatch& batch) {
  std::size_t longest = 0;
  for (std::size_t s = 0; s < batch.sentences(); ++s)
    longest = std::max(longest, batch.keys(s).size());
  const std::size_t floats =
      kernels::attention_of(kernels::active(), precision).scratch(longest, config.head_size());
  return (floats + 15) / 16 * 16;  // the next lane's begins on a cache line
}

void SelfAttention::attend(const TokenBatch& batch, Rows query, Rows key_value,
                           std::span<const std::size_t> first_query, Rows context,
                           Workspace& workspace, const ThreadPool& pool) const {
  const kernels::Attention& attention = kernels::attention_of(kernels::active(), precision_);
  const std::size_t head_size = hidden_ / heads_;
  const std::size_t lane_floats = workspace.attention.size() / pool.threads() / 16 * 16;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_size));
  pool.parallel_for(batch.sentences() * heads_, [&](std::size_t task, std::size_t lane) {
    const std::size_t sentence = task / heads_, column = task % heads_ * head_size;
    const std::size_t first = first_query[sentence], last = first_query[sentence + 1];
    const float* const keys = key_value.data + batch.first_token[sentence] * key_value.stride;
    attention.head({
        .query = query.data + first * query.stride + column,
        .query_stride = query.stride,
        .queries = last - first,
        .key = keys + column,
        .value = keys + hidden_ + column,
        .key_value_stride = key_value.stride,
        .key_rows = batch.keys(sentence).data(),
        .keys = batch.keys(sentence).size(),
        .head_size = head_size,
        .scale = scale,
        .out = context.data + first * context.stride + column,
        .out_stride = context.stride,
        .scratch = workspace.attention.data() + lane * lane_floats,
    });
  });
}

}  // namespace klue::detail
