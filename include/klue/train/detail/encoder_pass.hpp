#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/train/batch.hpp>
#include <klue/train/detail/dropping.hpp>
#include <klue/train/detail/matrix.hpp>
#include <klue/train/detail/products.hpp>
#include <klue/train/parameters.hpp>

namespace klue::detail {

/// What a float was written as: 1e-5f is 1e-5, not the 9.99999974738e-06 that it became.
double decimal(float x);

/// The tokens whose last hidden state somebody wants: the last layer computes no others.
struct RowChoice {
  bool all = true;
  std::vector<std::size_t> tokens;  ///< ascending
  std::vector<std::size_t> first;   ///< [sequences + 1] where each sequence's begin

  static RowChoice every(const train::Batch& batch);
  static RowChoice first_of_each(const train::Batch& batch);
  static RowChoice with_class(const train::Batch& batch);
  std::size_t count() const { return tokens.size(); }
};

/// A dense layer of the network, by the numbers of its parameters.
struct DenseLayer {
  std::size_t weight, bias;
};
struct NormLayer {
  std::size_t gamma, beta;
};

/// What both directions of a step need, whichever part of the network they are in.
template <class T>
struct StepContext {
  StepContext(train::Parameters<T>& p, Products<T>& multipliers)
      : parameters(p), products(multipliers) {}

  train::Parameters<T>& parameters;
  Products<T>& products;
  const train::Batch* batch = nullptr;
  Dropping<T> hidden{}, attention{}, head{};
  bool add_gradients = false;   ///< to those of the micro-batches before
  bool keep_all_layers = true;  ///< activations of every layer, or of one that is computed again

  const ThreadPool& pool() const { return products.pool(); }
  const train::Parameter& parameter(std::size_t i) const { return parameters.entries()[i]; }
  const T* values(std::size_t i) const { return parameters.values(parameter(i)); }
  T* gradients(std::size_t i) const { return parameters.gradients(parameter(i)); }
  bool trained(std::size_t i) const { return parameter(i).trained; }
  View<const T> weight(std::size_t i) const {
    const train::Parameter& p = parameter(i);
    return {values(i), p.shape[0], p.shape[1], p.shape[1]};
  }
  std::uint64_t stream(std::size_t sequence) const {
    return batch->streams.empty() ? sequence : batch->streams[sequence];
  }

  /// y = x · Wᵀ + b.
  void forward(const DenseLayer& layer, View<const T> x, View<T> y) const;
  /// The gradients of W and b, unless they are frozen.
  void backward_weights(const DenseLayer& layer, View<const T> x, View<const T> dy);
  /// dx (+)= dy · W.
  void backward_input(const DenseLayer& layer, View<const T> dy, View<T> dx, bool add) const;
  /// Each row: normal = normalised x, x = normal · gamma + beta.
  void forward_norm(const NormLayer& layer, View<T> x, View<T> normal, T* inverse, T epsilon) const;
  /// d becomes the gradient of the norm's input.
  void backward_norm(const NormLayer& layer, View<T> d, View<const T> normal, const T* inverse);

 private:
  AlignedBuffer<T> partial_;
};

/// What the backward pass of a layer wants to know of the forward pass.
template <class T>
struct LayerTrace {
  Matrix<T> selected;  // the input's chosen rows, where not all are
  Matrix<T> query, key, value;
  AlignedBuffer<T> probabilities;
  Matrix<T> context, attended, normal_attended, inner, normal_output;
  AlignedBuffer<T> inverse_attended, inverse_output;
};

/// Embeddings and transformer layers, forward and backward.
template <class T>
class EncoderPass {
 public:
  EncoderPass(const EncoderConfig& config, StepContext<T>& context);

  /// Makes the gradients of the embedding tables zero, before those of a step are added up.
  void clear_table_gradients();
  /// The last hidden states of the chosen rows, [rows, hidden].
  const Matrix<T>& forward(const RowChoice& rows);
  /// Adds up the gradients of all parameters below. d: [rows, hidden], overwritten. Nothing is
  /// computed below the lowest parameter that is trained.
  void backward(const RowChoice& rows, Matrix<T>& d);
  /// The gradient of the embeddings' or a layer's output, of the last backward pass, is handed to
  /// this, the top one first. For tests.
  void (*watch)(void* who, std::size_t state, View<const T> gradient) = nullptr;
  void* watcher = nullptr;

 private:
  struct Layer {
    DenseLayer query, key, value, attention_output, inner, outer;
    NormLayer attention_norm, output_norm;
  };

  void embed();
  void embed_backward(View<T> d);
  void forward_layer(std::size_t l, const RowChoice& rows, LayerTrace<T>& trace);
  void backward_layer(std::size_t l, const RowChoice& rows, LayerTrace<T>& trace, Matrix<T>& d);
  void attend(std::size_t l, const RowChoice& rows, LayerTrace<T>& trace);
  void attend_backward(std::size_t l, const RowChoice& rows, LayerTrace<T>& trace);
  void measure_scores(const RowChoice& rows);
  void add_residual(std::size_t l, DropSite site, const RowChoice& rows, View<T> x,
                    View<const T> residual);
  void drop_rows(std::size_t l, DropSite site, const RowChoice& rows, View<T> x);
  void activate(View<const T> inner);
  void activate_backward(View<const T> inner, View<T> d);
  LayerTrace<T>& trace(std::size_t l) { return traces_[ctx_.keep_all_layers ? l : 0]; }
  const RowChoice& rows_of(std::size_t l, const RowChoice& last) const {
    return l + 1 == layers_.size() ? last : every_;
  }
  std::size_t keys(std::size_t sequence) const {
    return ctx_.batch->keys.empty() ? ctx_.batch->length(sequence) : ctx_.batch->keys[sequence];
  }

  const EncoderConfig& config_;
  StepContext<T>& ctx_;
  std::vector<Layer> layers_;
  std::size_t word_, position_, type_, lowest_trained_ = 0;
  NormLayer embedding_norm_{};

  RowChoice every_;
  std::vector<Matrix<T>> states_;  // the embeddings' output, then each layer's
  std::vector<LayerTrace<T>> traces_;
  Matrix<T> embedding_normal_;
  AlignedBuffer<T> embedding_inverse_;
  std::vector<std::size_t> score_offset_, score_stride_;  // [sequences]
  std::size_t score_count_ = 0;
  // Scratch of the backward pass.
  Matrix<T> active_, branch_, wide_, dcontext_, dquery_, dkey_, dvalue_, dinput_;
  std::vector<AlignedBuffer<T>> lane_scores_;
  std::vector<std::int32_t> touched_words_, touched_positions_;
};

}  // namespace klue::detail
