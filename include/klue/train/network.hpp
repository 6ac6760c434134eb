#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/language.hpp>
#include <klue/core/precision.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/train/batch.hpp>
#include <klue/train/objective.hpp>
#include <klue/train/parameters.hpp>

namespace klue::train {

/// How one forward and backward pass goes.
struct Pass {
  double hidden_dropout = 0;         ///< embeddings, attention output, feed-forward output
  double attention_dropout = 0;      ///< attention weights
  double head_dropout = 0;           ///< what enters the dense layers of Head::sequence and tokens
  std::uint64_t seed = 0, step = 0;  ///< with Batch::streams they decide what is dropped
  /// What the sum of losses is divided by: the terms of the whole step where a batch is only a part
  /// of it. None: as many as this batch has.
  std::optional<double> denominator{};
  /// Head::embedding: this times the mean of cos(aᵢ, bⱼ)², i ≠ j, over the batch is added to the
  /// loss, so that texts that are no pair are driven apart.
  double spread = 0;
  bool add_gradients = false;  ///< to those of the passes before, else they are replaced
  /// Keeps only the outputs of the layers and computes the rest again on the way back: a third more
  /// work, and memory for activations that hardly grows with the layers. The gradients are the same
  /// bits.
  bool recompute_layers = false;
};

/// What a network says of a batch, without dropout.
template <class T>
struct Scores {
  std::size_t rows = 0;     ///< sequences; tokens for Head::tokens, span and masked_lm
  std::size_t columns = 0;  ///< logits, or hidden_size for Head::embedding
  std::vector<T> values{};  ///< [rows, columns]
};

/// An encoder with a head that can be trained: activations are kept, and every parameter gets a
/// gradient. float is what is trained with; double is the same code to measure it with. The result
/// is the same bits on any number of threads. One thread at a time may use it.
template <class T>
class KLUE_EXPORT Network {
 public:
  /// Reads the parameters, draws those of a head that the checkpoint lacks (Parameters). Throws as
  /// Parameters does, and UsageError for a head without labels.
  Network(const NetworkConfig& config, const Checkpoint& checkpoint, std::uint64_t seed,
          std::shared_ptr<const ThreadPool> pool, Precision precision = Precision::f32);
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  /// The shape that it has.
  const NetworkConfig& config() const noexcept;
  /// Who computes.
  const ThreadPool& pool() const noexcept;
  /// Weights and their gradients.
  Parameters<T>& parameters() noexcept;
  /// Weights and their gradients.
  const Parameters<T>& parameters() const noexcept;

  /// The loss, and the gradients of all trained parameters. Throws UsageError where the batch does
  /// not suit head and objective.
  double forward_backward(const Batch& batch, Objective objective, const Pass& pass = {});

  /// The loss alone, without dropout.
  double loss(const Batch& batch, Objective objective);

  /// Targets are not looked at.
  Scores<T> predict(const Batch& batch);

  /// d loss / d hidden states of the last backward pass that `forward_backward` made after this was
  /// called with true: [layers + 1, rows, hidden], the rows of a layer those that were computed.
  /// For tests.
  void keep_state_gradients(bool keep);
  /// Gradients of the hidden states after the last backward pass, of each layer.
  const std::vector<std::vector<T>>& state_gradients() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How many terms the mean of an objective is over in a batch: what `Pass::denominator` adds up to.
KLUE_EXPORT double count_terms(Objective objective, const Batch& batch, std::size_t labels);

}  // namespace klue::train
