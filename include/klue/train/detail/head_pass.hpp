#pragma once

#include <cstddef>

#include <klue/train/detail/encoder_pass.hpp>
#include <klue/train/objective.hpp>

namespace klue::detail {

/// What stands on the encoder, forward and backward.
template <class T>
class HeadPass {
 public:
  HeadPass(const train::NetworkConfig& config, StepContext<T>& context);

  /// From the last hidden states of the chosen rows to logits [rows, labels], or vectors
  /// [sequences, hidden]. They are the caller's, who makes gradients of them.
  Matrix<T>& forward(const RowChoice& rows, const Matrix<T>& hidden);
  /// From the gradients in what forward returned to those of the hidden states.
  Matrix<T>& backward(const RowChoice& rows, const Matrix<T>& hidden);

 private:
  void mean_rows(const RowChoice& rows, const Matrix<T>& hidden);
  void spread_rows(const RowChoice& rows, const Matrix<T>& hidden);
  View<const T> dropped(const RowChoice& rows, const Matrix<T>& x, DropSite site, Matrix<T>& copy);
  void drop(const RowChoice& rows, DropSite site, View<T> x);
  std::size_t real_rows(const RowChoice& rows, std::size_t sequence) const;

  const train::NetworkConfig& config_;
  StepContext<T>& ctx_;
  bool bert_;
  DenseLayer dense_{}, out_{};
  NormLayer norm_{};
  std::size_t words_ = 0;
  Matrix<T> scores_, gradient_;
  // Saved for the way back: what entered the layers, and what the first gave.
  Matrix<T> in_copy_, middle_, middle_copy_, active_, normal_;
  View<const T> in_{}, out_in_{};
  AlignedBuffer<T> inverse_;
};

/// The loss of what HeadPass gave, whose gradient takes its place. `denominator` divides the sum;
/// none: as many as there are terms. `spread` is that of train::Pass. Throws UsageError where the
/// batch has no label, or one that the head has not.
template <class T>
double loss_and_gradient(train::Objective objective, const train::Batch& batch,
                         const RowChoice& rows, Matrix<T>& scores, const double* denominator,
                         double spread);

/// How many terms the mean of an objective is over.
double loss_terms(train::Objective objective, const train::Batch& batch, std::size_t labels);

}  // namespace klue::detail
