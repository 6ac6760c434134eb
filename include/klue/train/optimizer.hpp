#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/train/numbers.hpp>
#include <klue/train/parameters.hpp>

namespace klue::train {

/// How the learning rate goes over the steps of a training.
enum class Decay : std::uint8_t { linear, cosine, constant };

/// How the learning rate rises and falls.
struct KLUE_EXPORT Schedule {
  double learning_rate = 5e-5;   ///< after the warm-up
  std::size_t warmup_steps = 0;  ///< steps in which it rises
  std::size_t steps = 0;  ///< of the whole training; there a linear or cosine schedule is at 0
  Decay decay = Decay::linear;  ///< how it falls after them

  /// Of step 0, 1, 2, …, as transformers has it: with a warm-up the first step's rate is 0.
  double at(std::size_t step) const;
};

/// Decoupled weight decay (Loshchilov and Hutter, 2019), as torch.optim.AdamW.
struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< as in the paper
  double weight_decay = 0.01;  ///< of matrices and tables; biases and layer norms never decay
  double clip_norm = 1.0;      ///< of all gradients together; 0: no clipping
  /// The rate of a layer is this times the rate of the layer above it; 1: the same rate for all.
  double layer_decay = 1.0;
};

/// The optimiser and its moments. A step is the same bits on any number of threads.
template <class T>
class KLUE_EXPORT AdamW {
 public:
  /// For parameters of this layout; the moments begin at 0.
  AdamW(const Parameters<T>& parameters, const AdamWOptions& options);

  /// The norm of the gradients of all trained parameters together, before clipping.
  double gradient_norm(const Parameters<T>& parameters, const ThreadPool& pool);

  /// One step with the gradients as they are, whose norm gradient_norm has just said.
  void step(Parameters<T>& parameters, double learning_rate, double norm, const ThreadPool& pool);

  /// Steps that were made.
  std::size_t steps() const noexcept { return steps_; }
  /// Of one parameter, as many as it has elements.
  T* first_moments(const Parameter& p) noexcept { return first_.data() + p.offset; }
  /// Of one parameter, as many as it has elements.
  T* second_moments(const Parameter& p) noexcept { return second_.data() + p.offset; }
  /// Of one parameter, as many as it has elements.
  const T* first_moments(const Parameter& p) const noexcept { return first_.data() + p.offset; }
  /// Of one parameter, as many as it has elements.
  const T* second_moments(const Parameter& p) const noexcept { return second_.data() + p.offset; }

  /// After the moments were filled from a file.
  void restore(const Parameters<T>& parameters, std::size_t steps);

 private:
  struct Part {
    std::size_t parameter, first, count;
  };

  AdamWOptions options_;
  Numbers<T> first_, second_;
  std::vector<Part> parts_;
  std::vector<double> squares_;
  /// Parts whose gradient and moments have always been zero, as of most rows of a vocabulary: a
  /// step only decays them.
  std::vector<unsigned char> moved_;
  std::size_t steps_ = 0, top_ = 0;
};

}  // namespace klue::train
