#include <algorithm>
#include <cmath>
#include <cstddef>

#include <klue/train/detail/encoder_pass.hpp>

// Attention of EncoderPass, which encoder_pass.ipp instantiates: it is included after this. A task
// is one head of one sequence: its scores are small matrices.

namespace klue::detail {

template <class T>
void EncoderPass<T>::measure_scores(const RowChoice& rows) {
  score_offset_.clear();
  score_stride_.clear();
  score_count_ = 0;
  std::size_t largest = 0;
  for (std::size_t s = 0; s < ctx_.batch->sequences(); ++s) {
    const std::size_t stride = (keys(s) + 15) / 16 * 16;
    const std::size_t of_a_head = stride * (rows.first[s + 1] - rows.first[s]);
    score_offset_.push_back(score_count_);
    score_stride_.push_back(stride);
    score_count_ += of_a_head * config_.num_attention_heads;
    largest = std::max(largest, of_a_head);
  }
  for (AlignedBuffer<T>& scores : lane_scores_)
    scores.reserve_discard(largest);
}

namespace {

// The parts of a layer's matrices that one head of one sequence works on.
template <class T>
struct HeadViews {
  std::size_t sequence, head, first_row, first_token, queries, keys, stride, head_size;

  template <class Number>
  View<Number> queries_of(View<Number> x) const {
    return x.rows_from(first_row, queries).columns_from(head * head_size, head_size);
  }
  template <class Number>
  View<Number> keys_of(View<Number> x) const {
    return x.rows_from(first_token, keys).columns_from(head * head_size, head_size);
  }
  View<T> scores(T* data) const { return {data, queries, keys, stride}; }
};

template <class T, class Body>
void for_attention_heads(const StepContext<T>& ctx, const RowChoice& rows,
                         const EncoderConfig& config, const Body& body) {
  const std::size_t heads = config.num_attention_heads;
  const train::Batch& batch = *ctx.batch;
  ctx.pool().parallel_for(batch.sequences() * heads, [&](std::size_t task, std::size_t lane) {
    const std::size_t s = task / heads;
    const std::size_t queries = rows.first[s + 1] - rows.first[s];
    const std::size_t keys = batch.keys.empty() ? batch.length(s) : batch.keys[s];
    body(HeadViews<T>{s, task % heads, rows.first[s], batch.first_token[s], queries, keys,
                      (keys + 15) / 16 * 16, config.head_size()},
         lane);
  });
}

// Every row of a head's scores, with the numbers of its own token and head.
template <class T>
void drop_scores(const StepContext<T>& ctx, std::size_t layer, const RowChoice& rows,
                 const EncoderConfig& config, const HeadViews<T>& h, View<T> scores) {
  const std::uint64_t stream =
      ctx.attention.stream(DropSite::attention, layer, ctx.stream(h.sequence));
  for (std::size_t q = 0; q < h.queries; ++q) {
    const std::size_t token = rows.tokens[h.first_row + q] - h.first_token;
    ctx.attention.apply(scores.row(q), h.keys, stream, token * config.num_attention_heads + h.head);
  }
}

}  // namespace

template <class T>
void EncoderPass<T>::attend(std::size_t l, const RowChoice& rows, LayerTrace<T>& t) {
  measure_scores(rows);
  t.probabilities.reserve_discard(score_count_);
  const View<T> context = t.context.reshape(rows.count(), config_.hidden_size).view();
  const T scale = T(1) / std::sqrt(static_cast<T>(config_.head_size()));
  for_attention_heads<T>(ctx_, rows, config_, [&](const HeadViews<T>& h, std::size_t lane) {
    if (h.queries == 0) return;
    Multiplier<T>& multiplier = ctx_.products.lane(lane);
    View<T> p = h.scores(t.probabilities.data() + score_offset_[h.sequence] +
                         h.head * h.queries * h.stride);
    multiplier.with_transposed({h.queries_of(t.query.constant())}, h.keys_of(t.key.constant()),
                               nullptr, p, false);
    for (std::size_t q = 0; q < h.queries; ++q)
      Numeric<T>::softmax(p.row(q), h.keys, scale);
    if (ctx_.attention) {
      const View<T> dropped = h.scores(lane_scores_[2 * lane].data());
      std::copy_n(p.data, h.queries * h.stride, dropped.data);
      drop_scores(ctx_, l, rows, config_, h, dropped);
      p = dropped;
    }
    multiplier.plain({p}, h.keys_of(t.value.constant()), h.queries_of(context), false);
  });
}

template <class T>
void EncoderPass<T>::attend_backward(std::size_t l, const RowChoice& rows, LayerTrace<T>& t) {
  measure_scores(rows);
  const std::size_t hidden = config_.hidden_size, tokens = every_.count();
  const View<T> dquery = dquery_.reshape(rows.count(), hidden).view();
  const View<T> dkey = dkey_.reshape(tokens, hidden).view();
  const View<T> dvalue = dvalue_.reshape(tokens, hidden).view();
  const T scale = T(1) / std::sqrt(static_cast<T>(config_.head_size()));
  for_attention_heads<T>(ctx_, rows, config_, [&](const HeadViews<T>& h, std::size_t lane) {
    // What no query of this sequence looks at has no gradient: keys of padding, or all of them.
    const std::size_t seen = h.queries == 0 ? 0 : h.keys;
    for (std::size_t k = seen; k < ctx_.batch->length(h.sequence); ++k) {
      std::fill_n(dkey.row(h.first_token + k) + h.head * h.head_size, h.head_size, T(0));
      std::fill_n(dvalue.row(h.first_token + k) + h.head * h.head_size, h.head_size, T(0));
    }
    if (h.queries == 0) return;
    Multiplier<T>& multiplier = ctx_.products.lane(lane);
    const View<T> p = h.scores(t.probabilities.data() + score_offset_[h.sequence] +
                               h.head * h.queries * h.stride);
    const View<T> d = h.scores(lane_scores_[2 * lane].data());
    const View<const T> dcontext = h.queries_of(dcontext_.constant());
    multiplier.with_transposed({dcontext}, h.keys_of(t.value.constant()), nullptr, d, false);
    View<T> used = p;
    if (ctx_.attention) {
      used = h.scores(lane_scores_[2 * lane + 1].data());
      std::copy_n(p.data, h.queries * h.stride, used.data);
      drop_scores(ctx_, l, rows, config_, h, used);
      drop_scores(ctx_, l, rows, config_, h, d);
    }
    multiplier.of_transposed(used, dcontext, h.keys_of(dvalue), false);
    for (std::size_t q = 0; q < h.queries; ++q)
      Numeric<T>::softmax_backward(p.row(q), d.row(q), h.keys, scale);
    multiplier.plain({d}, h.keys_of(t.key.constant()), h.queries_of(dquery), false);
    multiplier.of_transposed(d, h.queries_of(t.query.constant()), h.keys_of(dkey), false);
  });
}

}  // namespace klue::detail
