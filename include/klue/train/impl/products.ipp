#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include <klue/core/error.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/eigen.hpp>
#include <klue/train/detail/products.hpp>
#include <klue/train/detail/vector_ops.hpp>

namespace klue::detail {
namespace {

template <class Number>
auto eigen_map(View<Number> x) {
  using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Plain = std::conditional_t<std::is_const_v<Number>, const Dense, Dense>;
  using Index = Eigen::Index;
  return Eigen::Map<Plain, Eigen::Unaligned, Eigen::OuterStride<>>(
      x.data, static_cast<Index>(x.rows), static_cast<Index>(x.columns),
      Eigen::OuterStride<>(static_cast<Index>(x.stride)));
}

// Columns of a task of a parallel product: a whole number of panels of any instruction set.
constexpr std::size_t kColumnsTogether = 32;

}  // namespace

// ------------------------------------------------------------------------------------- float64

void Multiplier<double>::with_transposed(const Operand<double>& x, View<const double> w,
                                         const double* bias, View<double> y, bool add) {
  auto out = eigen_map(y);
  if (!add) out.setZero();
  out.noalias() += eigen_map(x.view) * eigen_map(w).transpose();
  if (bias != nullptr)
    out.rowwise() += Eigen::Map<const Eigen::RowVectorXd>(bias, static_cast<Eigen::Index>(w.rows));
}

void Multiplier<double>::plain(const Operand<double>& x, View<const double> w, View<double> y,
                               bool add) {
  auto out = eigen_map(y);
  if (!add) out.setZero();
  out.noalias() += eigen_map(x.view) * eigen_map(w);
}

void Multiplier<double>::of_transposed(View<const double> x, View<const double> w, View<double> y,
                                       bool add) {
  auto out = eigen_map(y);
  if (!add) out.setZero();
  out.noalias() += eigen_map(x).transpose() * eigen_map(w);
}

void Multiplier<double>::transpose(View<const double> x, View<double> y) {
  eigen_map(y) = eigen_map(x).transpose();
}

// ------------------------------------------------------------------------------------- float32

Multiplier<float>::Multiplier() : f32_(kernels::active().f32) {}

void Multiplier<float>::reserve_panel(const kernels::Product& product, std::size_t k) {
  const std::size_t groups = (k + product.group_numbers - 1) / product.group_numbers;
  panel_.reserve_discard(product.panel_width * groups);
}

void Multiplier<float>::multiply_panel(const Operand<float>& x, View<float> y, const float* bias,
                                       bool add) {
  alignas(64) float padded_bias[64] = {};
  if (bias != nullptr) std::copy_n(bias, y.columns, padded_bias);
  const kernels::Product& product = x.product == nullptr ? *f32_ : *x.product;
  kernels::Gemm gemm{};
  gemm.x = x.groups == nullptr ? x.view.data : x.groups;
  gemm.rows = x.view.rows;
  gemm.x_stride = x.groups == nullptr ? x.view.stride : x.stride;
  gemm.groups = (x.view.columns + product.group_numbers - 1) / product.group_numbers;
  gemm.panels = panel_.data();
  gemm.bias = padded_bias;
  gemm.out_features = y.columns;
  gemm.residual = add ? y.data : nullptr;
  gemm.residual_stride = y.stride;
  gemm.y = y.data;
  gemm.y_stride = y.stride;
  gemm.activation = Activation::none;
  gemm.first_panel = 0;
  gemm.last_panel = 1;
  product.gemm(gemm);
}

void Multiplier<float>::with_transposed(const Operand<float>& x, View<const float> w,
                                        const float* bias, View<float> y, bool add) {
  const kernels::Product& product = x.product == nullptr ? *f32_ : *x.product;
  const std::size_t width = product.panel_width;
  reserve_panel(product, w.columns);
  for (std::size_t n = 0; n < w.rows; n += width) {
    const std::size_t count = std::min(width, w.rows - n);
    const float* from = w.row(n);
    if (w.stride != w.columns) {
      rows_.reserve_discard(width * w.columns);
      for (std::size_t r = 0; r < count; ++r)
        std::copy_n(w.row(n + r), w.columns, rows_.data() + r * w.columns);
      from = rows_.data();
    }
    product.pack_panel(from, count, w.columns, panel_.data(), nullptr, nullptr);
    multiply_panel(x, y.columns_from(n, count), bias == nullptr ? nullptr : bias + n, add);
  }
}

// A panel is [k, width] numbers, or [k / 2, width] pairs: it is cut out of w as it stands.
void Multiplier<float>::pack_columns(const kernels::Product& product, View<const float> w,
                                     std::size_t first, std::size_t count) {
  const std::size_t width = product.panel_width;
  if (count < width) {
    const std::size_t groups = (w.rows + product.group_numbers - 1) / product.group_numbers;
    std::fill_n(panel_.data(), width * groups, 0.0f);
  }
  if (product.group_numbers == 1) {
    // The rows lie so far apart that no processor foresees the next one.
    constexpr std::size_t kAhead = 16;
    for (std::size_t k = 0; k < w.rows; ++k) {
      __builtin_prefetch(w.row(std::min(k + kAhead, w.rows - 1)) + first);
      std::memcpy(panel_.data() + k * width, w.row(k) + first, count * sizeof(float));
    }
    return;
  }
  for (std::size_t k = 0; k < w.rows; k += 2) {
    const float* const second = k + 1 < w.rows ? w.row(k + 1) + first : nullptr;
    vector_ops().pair_bf16(w.row(k) + first, second, panel_.data() + k / 2 * width, count);
  }
}

void Multiplier<float>::plain(const Operand<float>& x, View<const float> w, View<float> y,
                              bool add) {
  const kernels::Product& product = x.product == nullptr ? *f32_ : *x.product;
  reserve_panel(product, w.rows);
  for (std::size_t n = 0; n < w.columns; n += product.panel_width) {
    const std::size_t count = std::min(product.panel_width, w.columns - n);
    pack_columns(product, w, n, count);
    multiply_panel(x, y.columns_from(n, count), nullptr, add);
  }
}

void Multiplier<float>::of_transposed(View<const float> x, View<const float> w, View<float> y,
                                      bool add) {
  transposed_.reshape(x.columns, x.rows);
  transpose(x, transposed_.view());
  plain({transposed_.constant()}, w, y, add);
}

void Multiplier<float>::transpose(View<const float> x, View<float> y) {
  // A packed panel of rows is their transpose.
  const std::size_t width = f32_->panel_width;
  rows_.reserve_discard(width * x.columns);
  panel_.reserve_discard(width * x.columns);
  for (std::size_t r = 0; r < x.rows; r += width) {
    const std::size_t count = std::min(width, x.rows - r);
    const float* from = x.row(r);
    if (x.stride != x.columns) {
      for (std::size_t i = 0; i < count; ++i)
        std::copy_n(x.row(r + i), x.columns, rows_.data() + i * x.columns);
      from = rows_.data();
    }
    f32_->pack_panel(from, count, x.columns, panel_.data(), nullptr, nullptr);
    for (std::size_t c = 0; c < x.columns; ++c)
      std::copy_n(panel_.data() + c * width, count, y.row(c) + r);
  }
}

// ------------------------------------------------------------------------------------- threads

template <class T>
Products<T>::Products(const ThreadPool& pool, Precision precision) : pool_(&pool) {
  if (precision != Precision::f32) {
    if constexpr (std::is_same_v<T, float>)
      // Without an instruction of its own bf16 would save memory that training does not keep.
      if (precision == Precision::bf16 && kernels::product(precision).plain_groups)
        product_ = &kernels::product(precision);
    if (product_ == nullptr)
      throw UnsupportedError(
          "training in this precision is not possible here",
          {.field = "precision", .expected = "f32, or bf16 on a processor with AVX512_BF16"});
  }
  for (std::size_t lane = 0; lane < pool.threads(); ++lane)
    lanes_.push_back(std::make_unique<Multiplier<T>>());
}
template <class T>
Products<T>::~Products() = default;
template <class T>
Products<T>::Products(Products&&) noexcept = default;

template <class T>
template <class Task>
void Products<T>::by_columns(std::size_t columns, const Task& task) {
  const std::size_t tasks = (columns + kColumnsTogether - 1) / kColumnsTogether;
  pool_->parallel_for(tasks, [&](std::size_t index, std::size_t lane) {
    const std::size_t first = index * kColumnsTogether;
    task(*lanes_[lane], first, std::min(kColumnsTogether, columns - first));
  });
}

template <class T>
Operand<T> Products<T>::prepare(View<const T> x) {
  Operand<T> operand{.view = x};
  if constexpr (std::is_same_v<T, float>) {
    if (product_ == nullptr) return operand;
    const std::size_t numbers = product_->group_numbers;
    const std::size_t row_bytes = (x.columns + numbers - 1) / numbers * sizeof(float);
    converted_.reserve_discard(x.rows * row_bytes);
    constexpr std::size_t kConvertedRows = 32;
    pool_->parallel_for((x.rows + kConvertedRows - 1) / kConvertedRows, [&](std::size_t task,
                                                                            std::size_t) {
      const std::size_t first = task * kConvertedRows;
      product_->convert_rows(x.row(first), std::min(kConvertedRows, x.rows - first), x.stride,
                             x.columns, converted_.data() + first * row_bytes, nullptr, nullptr);
    });
    operand.product = product_;
    operand.groups = converted_.data();
    operand.stride = row_bytes / sizeof(float);
  }
  return operand;
}

template <class T>
void Products<T>::with_transposed(View<const T> x, View<const T> w, const T* bias, View<T> y,
                                  bool add) {
  const Operand<T> prepared = prepare(x);
  by_columns(w.rows, [&](Multiplier<T>& multiplier, std::size_t first, std::size_t count) {
    multiplier.with_transposed(prepared, w.rows_from(first, count),
                               bias == nullptr ? nullptr : bias + first,
                               y.columns_from(first, count), add);
  });
}

template <class T>
void Products<T>::plain(View<const T> x, View<const T> w, View<T> y, bool add) {
  const Operand<T> prepared = prepare(x);
  by_columns(w.columns, [&](Multiplier<T>& multiplier, std::size_t first, std::size_t count) {
    multiplier.plain(prepared, w.columns_from(first, count), y.columns_from(first, count), add);
  });
}

template <class T>
void Products<T>::of_transposed(View<const T> x, View<const T> w, View<T> y, bool add) {
  transposed_.reshape(x.columns, x.rows);
  by_columns(x.rows, [&](Multiplier<T>& multiplier, std::size_t first, std::size_t count) {
    multiplier.transpose(x.rows_from(first, count), transposed_.view().columns_from(first, count));
  });
  plain(transposed_.constant(), w, y, add);
}

template class Products<float>;
template class Products<double>;

}  // namespace klue::detail
