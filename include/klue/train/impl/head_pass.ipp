#include <algorithm>
#include <cmath>
#include <cstddef>

#include <klue/train/detail/head_pass.hpp>

namespace klue::detail {

template <class T>
HeadPass<T>::HeadPass(const train::NetworkConfig& config, StepContext<T>& context)
    : config_(config), ctx_(context), bert_(config.encoder.model_type == "bert") {
  const train::Parameters<T>& parameters = ctx_.parameters;
  const auto dense = [&](const std::string& name) {
    return DenseLayer{parameters.index(name + ".weight"), parameters.index(name + ".bias")};
  };
  switch (config.head) {
    case train::Head::sequence:
      dense_ = dense(bert_ ? parameters.prefix() + "pooler.dense" : "classifier.dense");
      out_ = dense(bert_ ? "classifier" : "classifier.out_proj");
      break;
    case train::Head::tokens:
      out_ = dense("classifier");
      break;
    case train::Head::span:
      out_ = dense("qa_outputs");
      break;
    case train::Head::masked_lm: {
      const std::string at = bert_ ? "cls.predictions." : "lm_head.";
      const std::string norm = at + (bert_ ? "transform.LayerNorm" : "layer_norm");
      dense_ = dense(at + (bert_ ? "transform.dense" : "dense"));
      norm_ = {parameters.index(norm + ".weight"), parameters.index(norm + ".bias")};
      words_ = parameters.index(parameters.prefix() + "embeddings.word_embeddings.weight");
      out_ = {words_, parameters.index(at + "bias")};
      break;
    }
    case train::Head::embedding:
      break;
  }
}

template <class T>
void HeadPass<T>::drop(const RowChoice& rows, DropSite site, View<T> x) {
  if (!ctx_.head) return;
  const train::Batch& batch = *ctx_.batch;
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    const std::uint64_t stream = ctx_.head.stream(site, 0, ctx_.stream(s));
    for (std::size_t r = rows.first[s]; r < rows.first[s + 1]; ++r)
      ctx_.head.apply(x.row(r), x.columns, stream, rows.tokens[r] - batch.first_token[s]);
  }
}

template <class T>
View<const T> HeadPass<T>::dropped(const RowChoice& rows, const Matrix<T>& x, DropSite site,
                                   Matrix<T>& copy) {
  if (!ctx_.head) return x.constant();
  copy.reshape(x.rows(), x.columns());
  for (std::size_t r = 0; r < x.rows(); ++r)
    std::copy_n(x.row(r), x.columns(), copy.row(r));
  drop(rows, site, copy.view());
  return copy.constant();
}

template <class T>
Matrix<T>& HeadPass<T>::forward(const RowChoice& rows, const Matrix<T>& hidden) {
  const std::size_t count = rows.count(), width = config_.encoder.hidden_size;
  switch (config_.head) {
    case train::Head::sequence: {
      in_ = bert_ ? hidden.constant() : dropped(rows, hidden, DropSite::head, in_copy_);
      ctx_.forward(dense_, in_, middle_.reshape(count, width).view());
      for (std::size_t r = 0; r < count; ++r)
        for (std::size_t i = 0; i < width; ++i)
          middle_.row(r)[i] = std::tanh(middle_.row(r)[i]);
      out_in_ = dropped(rows, middle_, DropSite::head_out, middle_copy_);
      ctx_.forward(out_, out_in_, scores_.reshape(count, config_.labels).view());
      break;
    }
    case train::Head::tokens:
      out_in_ = dropped(rows, hidden, DropSite::head_out, in_copy_);
      ctx_.forward(out_, out_in_, scores_.reshape(count, config_.labels).view());
      break;
    case train::Head::span:
      ctx_.forward(out_, hidden.constant(), scores_.reshape(count, 2).view());
      break;
    case train::Head::masked_lm: {
      ctx_.forward(dense_, hidden.constant(), middle_.reshape(count, width).view());
      active_.reshape(count, width);
      for (std::size_t r = 0; r < count; ++r)
        Numeric<T>::gelu(middle_.row(r), active_.row(r), width);
      inverse_.reserve_discard(count);
      ctx_.forward_norm(norm_, active_.view(), normal_.reshape(count, width).view(),
                        inverse_.data(), static_cast<T>(decimal(config_.encoder.layer_norm_eps)));
      ctx_.forward(out_, active_.constant(),
                   scores_.reshape(count, config_.encoder.vocab_size).view());
      break;
    }
    case train::Head::embedding:
      mean_rows(rows, hidden);
      break;
  }
  return scores_;
}

template <class T>
Matrix<T>& HeadPass<T>::backward(const RowChoice& rows, const Matrix<T>& hidden) {
  const View<T> d = gradient_.reshape(rows.count(), config_.encoder.hidden_size).view();
  switch (config_.head) {
    case train::Head::sequence:
      ctx_.backward_weights(out_, out_in_, scores_.constant());
      ctx_.backward_input(out_, scores_.constant(), d, false);
      drop(rows, DropSite::head_out, d);
      for (std::size_t r = 0; r < d.rows; ++r)
        for (std::size_t i = 0; i < d.columns; ++i)
          d.row(r)[i] *= T(1) - middle_.row(r)[i] * middle_.row(r)[i];
      ctx_.backward_weights(dense_, in_, d);
      middle_.reshape(d.rows, d.columns);
      ctx_.backward_input(dense_, d, middle_.view(), false);
      if (!bert_) drop(rows, DropSite::head, middle_.view());
      return middle_;
    case train::Head::tokens:
      ctx_.backward_weights(out_, out_in_, scores_.constant());
      ctx_.backward_input(out_, scores_.constant(), d, false);
      drop(rows, DropSite::head_out, d);
      break;
    case train::Head::span:
      ctx_.backward_weights(out_, hidden.constant(), scores_.constant());
      ctx_.backward_input(out_, scores_.constant(), d, false);
      break;
    case train::Head::masked_lm:
      // The decoder is the table of word embeddings: the look-ups add to the same gradient.
      ctx_.backward_weights(out_, active_.constant(), scores_.constant());
      ctx_.backward_input(out_, scores_.constant(), d, false);
      ctx_.backward_norm(norm_, d, normal_.constant(), inverse_.data());
      for (std::size_t r = 0; r < d.rows; ++r)
        Numeric<T>::gelu_backward(middle_.row(r), d.row(r), d.columns);
      ctx_.backward_weights(dense_, hidden.constant(), d);
      active_.reshape(d.rows, d.columns);
      ctx_.backward_input(dense_, d, active_.view(), false);
      return active_;
    case train::Head::embedding:
      spread_rows(rows, hidden);
      break;
  }
  return gradient_;
}

template <class T>
std::size_t HeadPass<T>::real_rows(const RowChoice& rows, std::size_t sequence) const {
  return ctx_.batch->keys.empty() ? rows.first[sequence + 1] - rows.first[sequence]
                                  : ctx_.batch->keys[sequence];
}

template <class T>
void HeadPass<T>::mean_rows(const RowChoice& rows, const Matrix<T>& hidden) {
  const std::size_t sequences = ctx_.batch->sequences(), width = hidden.columns();
  scores_.reshape(sequences, width);
  for (std::size_t s = 0; s < sequences; ++s) {
    const std::size_t count = real_rows(rows, s);
    std::fill_n(scores_.row(s), width, T(0));
    for (std::size_t r = 0; r < count; ++r)
      Numeric<T>::add(hidden.row(rows.first[s] + r), scores_.row(s), width);
    for (std::size_t i = 0; i < width; ++i)
      scores_.row(s)[i] /= static_cast<T>(count);
  }
}

template <class T>
void HeadPass<T>::spread_rows(const RowChoice& rows, const Matrix<T>& hidden) {
  const std::size_t width = hidden.columns();
  for (std::size_t s = 0; s < ctx_.batch->sequences(); ++s) {
    const std::size_t count = real_rows(rows, s);
    for (std::size_t r = rows.first[s]; r < rows.first[s + 1]; ++r)
      for (std::size_t i = 0; i < width; ++i)
        gradient_.row(r)[i] =
            r - rows.first[s] < count ? scores_.row(s)[i] / static_cast<T>(count) : T(0);
  }
}

template class HeadPass<float>;
template class HeadPass<double>;

}  // namespace klue::detail
