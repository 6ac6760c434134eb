#include <algorithm>
#include <cstddef>
#include <string>

#include <klue/train/detail/encoder_pass.hpp>

namespace klue::detail {
namespace {

constexpr std::size_t kRowsOfATask = 16;

template <class Body>
void for_encoder_rows(const ThreadPool& pool, std::size_t rows, const Body& body) {
  pool.parallel_for((rows + kRowsOfATask - 1) / kRowsOfATask, [&](std::size_t task, std::size_t) {
    const std::size_t end = std::min(rows, (task + 1) * kRowsOfATask);
    for (std::size_t r = task * kRowsOfATask; r < end; ++r)
      body(r);
  });
}

}  // namespace

RowChoice RowChoice::every(const train::Batch& batch) {
  RowChoice rows{.all = true, .tokens = {}, .first = batch.first_token};
  for (std::size_t token = 0; token < batch.tokens(); ++token)
    rows.tokens.push_back(token);
  return rows;
}

RowChoice RowChoice::first_of_each(const train::Batch& batch) {
  RowChoice rows{.all = false, .tokens = {}, .first = {0}};
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    rows.tokens.push_back(batch.first_token[s]);
    rows.first.push_back(s + 1);
  }
  return rows;
}

RowChoice RowChoice::with_class(const train::Batch& batch) {
  RowChoice rows{.all = false, .tokens = {}, .first = {0}};
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    for (std::size_t token = batch.first_token[s]; token < batch.first_token[s + 1]; ++token)
      if (batch.classes[token] != train::kIgnored) rows.tokens.push_back(token);
    rows.first.push_back(rows.tokens.size());
  }
  return rows;
}

template <class T>
EncoderPass<T>::EncoderPass(const EncoderConfig& config, StepContext<T>& context)
    : config_(config), ctx_(context) {
  const train::Parameters<T>& parameters = ctx_.parameters;
  const std::string& prefix = parameters.prefix();
  const auto norm = [&](const std::string& name) {
    return NormLayer{parameters.index(name + ".LayerNorm.weight"),
                     parameters.index(name + ".LayerNorm.bias")};
  };
  word_ = parameters.index(prefix + "embeddings.word_embeddings.weight");
  position_ = parameters.index(prefix + "embeddings.position_embeddings.weight");
  type_ = parameters.index(prefix + "embeddings.token_type_embeddings.weight");
  embedding_norm_ = norm(prefix + "embeddings");
  for (std::size_t l = 0; l < config.num_hidden_layers; ++l) {
    const std::string at = prefix + "encoder.layer." + std::to_string(l) + ".";
    const auto dense = [&](const std::string& name) {
      return DenseLayer{parameters.index(at + name + ".weight"),
                        parameters.index(at + name + ".bias")};
    };
    layers_.push_back({dense("attention.self.query"), dense("attention.self.key"),
                       dense("attention.self.value"), dense("attention.output.dense"),
                       dense("intermediate.dense"), dense("output.dense"),
                       norm(at + "attention.output"), norm(at + "output")});
  }
  states_.resize(layers_.size() + 1);
  lane_scores_.resize(2 * ctx_.pool().threads());
}

// ---------------------------------------------------------------------------------- embeddings

template <class T>
void EncoderPass<T>::embed() {
  const train::Batch& batch = *ctx_.batch;
  const std::size_t hidden = config_.hidden_size;
  const View<T> x = states_[0].reshape(batch.tokens(), hidden).view();
  const auto row = [&](std::size_t table, std::int32_t index) {
    return ctx_.values(table) + static_cast<std::size_t>(index) * hidden;
  };
  for_encoder_rows(ctx_.pool(), batch.tokens(), [&](std::size_t t) {
    const T* word = row(word_, batch.word_ids[t]);
    const T* position = row(position_, batch.position_ids[t]);
    const T* type = row(type_, batch.type_ids[t]);
    for (std::size_t i = 0; i < hidden; ++i)
      x.row(t)[i] = word[i] + type[i] + position[i];
  });
  embedding_inverse_.reserve_discard(batch.tokens());
  ctx_.forward_norm(embedding_norm_, x, embedding_normal_.reshape(batch.tokens(), hidden).view(),
                    embedding_inverse_.data(), static_cast<T>(decimal(config_.layer_norm_eps)));
  drop_rows(0, DropSite::embeddings, every_, x);
}

// Most rows of a table have no gradient: only those that had one are made zero again.
template <class T>
void EncoderPass<T>::clear_table_gradients() {
  const std::size_t hidden = config_.hidden_size;
  const auto clear = [&](std::size_t table, std::vector<std::int32_t>& touched) {
    for (const std::int32_t row : touched)
      std::fill_n(ctx_.gradients(table) + static_cast<std::size_t>(row) * hidden, hidden, T(0));
    touched.clear();
  };
  clear(word_, touched_words_);
  clear(position_, touched_positions_);
  std::fill_n(ctx_.gradients(type_), config_.type_vocab_size * hidden, T(0));
}

template <class T>
void EncoderPass<T>::embed_backward(View<T> d) {
  const train::Batch& batch = *ctx_.batch;
  drop_rows(0, DropSite::embeddings, every_, d);
  ctx_.backward_norm(embedding_norm_, d, embedding_normal_.constant(), embedding_inverse_.data());
  const auto add_to = [&](std::size_t table, std::int32_t row, std::size_t token) {
    if (ctx_.trained(table))
      Numeric<T>::add(d.row(token),
                      ctx_.gradients(table) + static_cast<std::size_t>(row) * d.columns, d.columns);
  };
  const auto pad = static_cast<std::int32_t>(config_.pad_token_id);
  const bool pads_positions = config_.positions == PositionScheme::after_padding;
  for (std::size_t t = 0; t < batch.tokens(); ++t) {
    // torch's padding_idx: a look-up of [PAD] gives its row no gradient.
    if (batch.word_ids[t] != pad) {
      add_to(word_, batch.word_ids[t], t);
      touched_words_.push_back(batch.word_ids[t]);
    }
    if (!pads_positions || batch.position_ids[t] != pad) {
      add_to(position_, batch.position_ids[t], t);
      touched_positions_.push_back(batch.position_ids[t]);
    }
    add_to(type_, batch.type_ids[t], t);
  }
}

// ---------------------------------------------------------------------------------- row by row

template <class T>
void EncoderPass<T>::drop_rows(std::size_t l, DropSite site, const RowChoice& rows, View<T> x) {
  if (!ctx_.hidden) return;
  const train::Batch& batch = *ctx_.batch;
  ctx_.pool().parallel_for(batch.sequences(), [&](std::size_t s, std::size_t) {
    const std::uint64_t stream = ctx_.hidden.stream(site, l, ctx_.stream(s));
    for (std::size_t r = rows.first[s]; r < rows.first[s + 1]; ++r)
      ctx_.hidden.apply(x.row(r), x.columns, stream, rows.tokens[r] - batch.first_token[s]);
  });
}

template <class T>
void EncoderPass<T>::add_residual(std::size_t l, DropSite site, const RowChoice& rows, View<T> x,
                                  View<const T> residual) {
  drop_rows(l, site, rows, x);
  for_encoder_rows(ctx_.pool(), x.rows,
                   [&](std::size_t r) { Numeric<T>::add(residual.row(r), x.row(r), x.columns); });
}

template <class T>
void EncoderPass<T>::activate(View<const T> inner) {
  const View<T> y = active_.reshape(inner.rows, inner.columns).view();
  const bool gelu = config_.hidden_act == Activation::gelu;
  for_encoder_rows(ctx_.pool(), inner.rows, [&](std::size_t r) {
    const T* x = inner.row(r);
    if (gelu) return Numeric<T>::gelu(x, y.row(r), inner.columns);
    for (std::size_t i = 0; i < inner.columns; ++i)
      y.row(r)[i] = x[i] > T(0) ? x[i] : T(0);
  });
}

template <class T>
void EncoderPass<T>::activate_backward(View<const T> inner, View<T> d) {
  const bool gelu = config_.hidden_act == Activation::gelu;
  for_encoder_rows(ctx_.pool(), inner.rows, [&](std::size_t r) {
    const T* x = inner.row(r);
    if (gelu) return Numeric<T>::gelu_backward(x, d.row(r), inner.columns);
    for (std::size_t i = 0; i < inner.columns; ++i)
      d.row(r)[i] = x[i] > T(0) ? d.row(r)[i] : T(0);
  });
}

// -------------------------------------------------------------------------------------- layers

template <class T>
void EncoderPass<T>::forward_layer(std::size_t l, const RowChoice& rows, LayerTrace<T>& t) {
  const Layer& layer = layers_[l];
  const std::size_t hidden = config_.hidden_size, tokens = every_.count(), count = rows.count();
  const View<const T> x = states_[l].constant();
  View<const T> chosen = x;
  if (!rows.all) {
    t.selected.reshape(count, hidden);
    for (std::size_t r = 0; r < count; ++r)
      std::copy_n(x.row(rows.tokens[r]), hidden, t.selected.row(r));
    chosen = t.selected.constant();
  }
  ctx_.forward(layer.query, chosen, t.query.reshape(count, hidden).view());
  ctx_.forward(layer.key, x, t.key.reshape(tokens, hidden).view());
  ctx_.forward(layer.value, x, t.value.reshape(tokens, hidden).view());
  attend(l, rows, t);

  const T epsilon = static_cast<T>(decimal(config_.layer_norm_eps));
  const View<T> attended = t.attended.reshape(count, hidden).view();
  ctx_.forward(layer.attention_output, t.context.constant(), attended);
  add_residual(l, DropSite::attention_output, rows, attended, chosen);
  t.inverse_attended.reserve_discard(count);
  ctx_.forward_norm(layer.attention_norm, attended, t.normal_attended.reshape(count, hidden).view(),
                    t.inverse_attended.data(), epsilon);

  ctx_.forward(layer.inner, attended, t.inner.reshape(count, config_.intermediate_size).view());
  activate(t.inner.constant());
  const View<T> out = states_[l + 1].reshape(count, hidden).view();
  ctx_.forward(layer.outer, active_.constant(), out);
  add_residual(l, DropSite::output, rows, out, attended);
  t.inverse_output.reserve_discard(count);
  ctx_.forward_norm(layer.output_norm, out, t.normal_output.reshape(count, hidden).view(),
                    t.inverse_output.data(), epsilon);
}

template <class T>
void EncoderPass<T>::backward_layer(std::size_t l, const RowChoice& rows, LayerTrace<T>& t,
                                    Matrix<T>& d) {
  const Layer& layer = layers_[l];
  const std::size_t hidden = config_.hidden_size, tokens = every_.count(), count = rows.count();
  const View<const T> x = states_[l].constant();
  const View<const T> chosen = rows.all ? x : t.selected.constant();
  // What flows back through a branch whose output was dropped from; the residual takes it whole.
  const auto branch_of = [&](DropSite site) {
    if (!ctx_.hidden) return d.constant();
    branch_.reshape(count, hidden);
    for_encoder_rows(ctx_.pool(), count,
                     [&](std::size_t r) { std::copy_n(d.row(r), hidden, branch_.row(r)); });
    drop_rows(l, site, rows, branch_.view());
    return branch_.constant();
  };

  ctx_.backward_norm(layer.output_norm, d.view(), t.normal_output.constant(),
                     t.inverse_output.data());
  View<const T> branch = branch_of(DropSite::output);
  activate(t.inner.constant());
  ctx_.backward_weights(layer.outer, active_.constant(), branch);
  const View<T> wide = wide_.reshape(count, config_.intermediate_size).view();
  ctx_.backward_input(layer.outer, branch, wide, false);
  activate_backward(t.inner.constant(), wide);
  ctx_.backward_weights(layer.inner, t.attended.constant(), wide);
  ctx_.backward_input(layer.inner, wide, d.view(), true);

  ctx_.backward_norm(layer.attention_norm, d.view(), t.normal_attended.constant(),
                     t.inverse_attended.data());
  branch = branch_of(DropSite::attention_output);
  ctx_.backward_weights(layer.attention_output, t.context.constant(), branch);
  ctx_.backward_input(layer.attention_output, branch, dcontext_.reshape(count, hidden).view(),
                      false);
  attend_backward(l, rows, t);
  ctx_.backward_weights(layer.query, chosen, dquery_.constant());
  ctx_.backward_weights(layer.key, x, dkey_.constant());
  ctx_.backward_weights(layer.value, x, dvalue_.constant());

  if (l + 1 <= lowest_trained_) return;  // nothing below is trained
  ctx_.backward_input(layer.query, dquery_.constant(), d.view(), true);
  if (rows.all) {
    ctx_.backward_input(layer.key, dkey_.constant(), d.view(), true);
    ctx_.backward_input(layer.value, dvalue_.constant(), d.view(), true);
    return;
  }
  const View<T> all = dinput_.reshape(tokens, hidden).view();
  ctx_.backward_input(layer.key, dkey_.constant(), all, false);
  ctx_.backward_input(layer.value, dvalue_.constant(), all, true);
  for (std::size_t r = 0; r < count; ++r)
    Numeric<T>::add(d.row(r), all.row(rows.tokens[r]), hidden);
  std::swap(d, dinput_);
}

// ------------------------------------------------------------------------------------ the whole

template <class T>
const Matrix<T>& EncoderPass<T>::forward(const RowChoice& rows) {
  every_ = RowChoice::every(*ctx_.batch);
  if (traces_.size() < (ctx_.keep_all_layers ? layers_.size() : 1))
    traces_.resize(ctx_.keep_all_layers ? layers_.size() : 1);
  embed();
  for (std::size_t l = 0; l < layers_.size(); ++l)
    forward_layer(l, rows_of(l, rows), trace(l));
  return states_.back();
}

template <class T>
void EncoderPass<T>::backward(const RowChoice& rows, Matrix<T>& d) {
  lowest_trained_ = layers_.size() + 1;
  for (const train::Parameter& p : ctx_.parameters.entries())
    if (p.trained) lowest_trained_ = std::min(lowest_trained_, p.depth);
  for (std::size_t l = layers_.size(); l-- > 0;) {
    if (watch != nullptr) watch(watcher, l + 1, d.constant());
    if (l + 1 < lowest_trained_) return;
    // Computed again from its input, where only the layers' outputs were kept.
    if (!ctx_.keep_all_layers && l + 1 < layers_.size())
      forward_layer(l, rows_of(l, rows), trace(l));
    backward_layer(l, rows_of(l, rows), trace(l), d);
  }
  if (watch != nullptr) watch(watcher, 0, d.constant());
  if (lowest_trained_ == 0) embed_backward(d.view());
}

template class EncoderPass<float>;
template class EncoderPass<double>;

}  // namespace klue::detail
