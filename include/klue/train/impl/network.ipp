#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/train/detail/encoder_pass.hpp>
#include <klue/train/detail/head_pass.hpp>
#include <klue/train/network.hpp>

namespace klue::train {
namespace {

bool suits(Head head, Objective objective) {
  switch (objective) {
    case Objective::cross_entropy:
    case Objective::binary_cross_entropy:
    case Objective::squared_error:
      return head == Head::sequence;
    case Objective::token_cross_entropy:
      return head == Head::tokens || head == Head::masked_lm;
    case Objective::span_cross_entropy:
      return head == Head::span;
    case Objective::cosine_squared_error:
    case Objective::cosent:
    case Objective::in_batch_negatives:
      return head == Head::embedding;
  }
  return false;
}

}  // namespace

template <class T>
struct Network<T>::Impl {
  NetworkConfig config;
  std::shared_ptr<const ThreadPool> pool;
  Parameters<T> parameters;
  detail::Products<T> products;
  detail::StepContext<T> context;
  detail::EncoderPass<T> encoder;
  detail::HeadPass<T> head;
  std::vector<std::vector<T>> state_gradients;

  Impl(const NetworkConfig& c, const Checkpoint& checkpoint, std::uint64_t seed,
       std::shared_ptr<const ThreadPool> threads, Precision precision)
      : config(c),
        pool(std::move(threads)),
        parameters(config, checkpoint, seed),
        products(*pool, precision),
        context(parameters, products),
        encoder(config.encoder, context),
        head(config, context) {}

  // For a loss only the rows that it looks at.
  detail::RowChoice rows(const Batch& batch, bool for_loss) const {
    switch (config.head) {
      case Head::sequence:
        return detail::RowChoice::first_of_each(batch);
      case Head::tokens:
      case Head::masked_lm:
        if (for_loss && batch.classes.size() == batch.tokens())
          return detail::RowChoice::with_class(batch);
        break;
      case Head::span:
      case Head::embedding:
        break;
    }
    return detail::RowChoice::every(batch);
  }

  void begin(const Batch& batch, const Pass& pass) {
    if (batch.sequences() == 0) throw UsageError("an empty batch", {.field = "batch"});
    if (!batch.keys.empty() && batch.keys.size() != batch.sequences())
      throw UsageError("as many keys as sequences are needed",
                       {.field = "keys",
                        .expected = std::to_string(batch.sequences()),
                        .actual = std::to_string(batch.keys.size())});
    for (std::size_t s = 0; s < batch.keys.size(); ++s)
      if (batch.keys[s] == 0 || batch.keys[s] > batch.length(s))
        throw UsageError("a sequence attends to its own tokens, and to one at least",
                         {.field = "keys",
                          .expected = "1 to " + std::to_string(batch.length(s)),
                          .actual = std::to_string(batch.keys[s])});
    context.batch = &batch;
    context.hidden = {pass.hidden_dropout, pass.seed, pass.step};
    context.attention = {pass.attention_dropout, pass.seed, pass.step};
    context.head = {pass.head_dropout, pass.seed, pass.step};
    context.add_gradients = pass.add_gradients;
    context.keep_all_layers = !pass.recompute_layers;
  }

  detail::Matrix<T>& forward(const detail::RowChoice& rows, const detail::Matrix<T>*& hidden) {
    hidden = &encoder.forward(rows);
    return head.forward(rows, *hidden);
  }
};

template <class T>
Network<T>::Network(const NetworkConfig& config, const Checkpoint& checkpoint, std::uint64_t seed,
                    std::shared_ptr<const ThreadPool> pool, Precision precision) {
  if ((config.head == Head::sequence || config.head == Head::tokens) && config.labels == 0)
    throw UsageError("a head without labels", {.field = "labels", .expected = "at least 1"});
  impl_ = std::make_unique<Impl>(config, checkpoint, seed, std::move(pool), precision);
}
template <class T>
Network<T>::Network(Network&&) noexcept = default;
template <class T>
Network<T>& Network<T>::operator=(Network&&) noexcept = default;
template <class T>
Network<T>::~Network() = default;

template <class T>
const NetworkConfig& Network<T>::config() const noexcept {
  return impl_->config;
}
template <class T>
const ThreadPool& Network<T>::pool() const noexcept {
  return *impl_->pool;
}
template <class T>
Parameters<T>& Network<T>::parameters() noexcept {
  return impl_->parameters;
}
template <class T>
const Parameters<T>& Network<T>::parameters() const noexcept {
  return impl_->parameters;
}

template <class T>
double Network<T>::forward_backward(const Batch& batch, Objective objective, const Pass& pass) {
  if (!suits(impl_->config.head, objective))
    throw UsageError("this head is not trained with this objective", {.field = "objective"});
  if (pass.spread > 0 && impl_->config.head != Head::embedding)
    throw UsageError("only embeddings are spread out", {.field = "spread"});
  impl_->begin(batch, pass);
  const detail::RowChoice rows = impl_->rows(batch, true);
  if (rows.count() == 0) throw UsageError("a batch without labels", {.field = "labels"});
  const detail::Matrix<T>* hidden = nullptr;
  detail::Matrix<T>& scores = impl_->forward(rows, hidden);
  const double loss = detail::loss_and_gradient(
      objective, batch, rows, scores, pass.denominator ? &*pass.denominator : nullptr, pass.spread);
  if (!pass.add_gradients) impl_->encoder.clear_table_gradients();
  impl_->encoder.backward(rows, impl_->head.backward(rows, *hidden));
  return loss;
}

template <class T>
double Network<T>::loss(const Batch& batch, Objective objective) {
  if (!suits(impl_->config.head, objective))
    throw UsageError("this head is not trained with this objective", {.field = "objective"});
  impl_->begin(batch, {.recompute_layers = true});
  const detail::RowChoice rows = impl_->rows(batch, true);
  const detail::Matrix<T>* hidden = nullptr;
  return detail::loss_and_gradient<T>(objective, batch, rows, impl_->forward(rows, hidden), nullptr,
                                      0);
}

template <class T>
Scores<T> Network<T>::predict(const Batch& batch) {
  impl_->begin(batch, {.recompute_layers = true});
  const detail::RowChoice rows = impl_->rows(batch, false);
  const detail::Matrix<T>* hidden = nullptr;
  const detail::Matrix<T>& scores = impl_->forward(rows, hidden);
  Scores<T> result{.rows = scores.rows(), .columns = scores.columns()};
  result.values.reserve(result.rows * result.columns);
  for (std::size_t r = 0; r < result.rows; ++r)
    result.values.insert(result.values.end(), scores.row(r), scores.row(r) + result.columns);
  return result;
}

template <class T>
void Network<T>::keep_state_gradients(bool keep) {
  impl_->encoder.watcher = impl_.get();
  impl_->encoder.watch = nullptr;
  if (!keep) return;
  impl_->state_gradients.assign(impl_->config.encoder.num_hidden_layers + 1, {});
  impl_->encoder.watch = [](void* who, std::size_t state, detail::View<const T> gradient) {
    std::vector<T>& to = static_cast<Impl*>(who)->state_gradients[state];
    to.clear();
    for (std::size_t r = 0; r < gradient.rows; ++r)
      to.insert(to.end(), gradient.row(r), gradient.row(r) + gradient.columns);
  };
}
template <class T>
const std::vector<std::vector<T>>& Network<T>::state_gradients() const noexcept {
  return impl_->state_gradients;
}

double count_terms(Objective objective, const Batch& batch, std::size_t labels) {
  return detail::loss_terms(objective, batch, labels);
}

template class Network<float>;
template class Network<double>;

}  // namespace klue::train
