#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/train/detail/matrix.hpp>

namespace klue::detail {

/// The left-hand side of a product as it is multiplied: float32 as it stands, or bfloat16.
template <class T>
struct Operand {
  View<const T> view;
  const kernels::Product* product = nullptr;  // of float
  const void* groups = nullptr;               // what view was converted to; nullptr: view itself
  std::size_t stride = 0;                     // of that, in groups
};

/// Matrix products of one thread, with the memory that they need. float64 is multiplied by Eigen;
/// float32 by the kernels of inference, a few panels of the right-hand side packed at a time, so
/// that they are multiplied while they are in the nearer caches: Eigen would have to be compiled
/// for the processor to come near. Every element is one sum in order, however the matrices are cut.
template <class T>
class Multiplier;

/// The same shared out among threads, by columns of the result: the same bits on any number.
template <class T>
class Products {
 public:
  /// Throws UnsupportedError for a precision that this processor has no kernel for.
  Products(const ThreadPool& pool, Precision precision);
  ~Products();
  Products(Products&&) noexcept;

  /// y (+)= x · wᵀ + bias: [m, k] · [n, k]ᵀ. bias [n] may be nullptr.
  void with_transposed(View<const T> x, View<const T> w, const T* bias, View<T> y,
                       bool add = false);
  /// y (+)= x · w: [m, k] · [k, n].
  void plain(View<const T> x, View<const T> w, View<T> y, bool add);
  /// y (+)= xᵀ · w: [k, m]ᵀ · [k, n].
  void of_transposed(View<const T> x, View<const T> w, View<T> y, bool add);

  /// What lane `lane` of a parallel loop multiplies with, always in T.
  Multiplier<T>& lane(std::size_t lane) { return *lanes_[lane]; }
  const ThreadPool& pool() const { return *pool_; }

 private:
  template <class Task>
  void by_columns(std::size_t columns, const Task& task);
  /// x, or xᵀ, as it is multiplied.
  Operand<T> prepare(View<const T> x);
  Operand<T> prepare_transposed(View<const T> x);
  /// Memory for one in product_'s groups.
  Operand<T> converted(std::size_t rows, std::size_t columns);
  void plain(const Operand<T>& x, View<const T> w, View<T> y, bool add);

  const ThreadPool* pool_;
  const kernels::Product* product_ = nullptr;  // of float
  std::vector<std::unique_ptr<Multiplier<T>>> lanes_;
  Matrix<T> transposed_;
  AlignedBuffer<float> converted_;  // 32-bit groups
};

template <>
class Multiplier<double> {
 public:
  void with_transposed(const Operand<double>& x, View<const double> w, const double* bias,
                       View<double> y, bool add);
  void plain(const Operand<double>& x, View<const double> w, View<double> y, bool add);
  void of_transposed(View<const double> x, View<const double> w, View<double> y, bool add);
  void transpose(View<const double> x, View<double> y);
};

template <>
class Multiplier<float> {
 public:
  Multiplier();
  void with_transposed(const Operand<float>& x, View<const float> w, const float* bias,
                       View<float> y, bool add);
  void plain(const Operand<float>& x, View<const float> w, View<float> y, bool add);
  void of_transposed(View<const float> x, View<const float> w, View<float> y, bool add);
  /// xᵀ as `product` multiplies its rows, which lie `stride` groups apart.
  void transpose(View<const float> x, const kernels::Product& product, float* groups,
                 std::size_t stride);

 private:
  const kernels::Product& product_of(const Operand<float>& x) const {
    return x.product == nullptr ? *table_.f32 : *x.product;
  }
  /// y (+)= x · panels + bias, where pack(first, count) packs those of these columns.
  template <class Pack>
  void multiply(const Operand<float>& x, View<float> y, const float* bias, bool add,
                const Pack& pack);
  /// The same of the panels packed last.
  void multiply_panels(const Operand<float>& x, View<float> y, const float* bias, bool add);

  const kernels::Table& table_;
  AlignedBuffer<std::byte> panels_;
  AlignedBuffer<float> rows_;
  Matrix<float> transposed_;
};

}  // namespace klue::detail
