#include <algorithm>
#include <cstddef>
#include <memory>

#include <klue/core/error.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/eigen.hpp>
#include <klue/train/detail/products.hpp>

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

// Columns of a panel of any instruction set, or of a few.
constexpr std::size_t kPanelColumns = 32;

// Panels that stay in the second cache while rows pass them, and the rows that stay there while
// they pass those panels: what is multiplied comes from farther away once for all of them.
constexpr std::size_t kPanelsTogether = 4, kPanelBytes = 400 << 10, kRowBytes = 448 << 10;

// Whole blocks of rows, 14 with AVX-512 and 6 with AVX2: lower ones take as long.
constexpr std::size_t rows_together(std::size_t row_bytes) {
  constexpr std::size_t kBlocks = 42;
  return std::max(kBlocks, kRowBytes / row_bytes / kBlocks * kBlocks);
}

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

Multiplier<float>::Multiplier() : table_(kernels::active()) {}

template <class Pack>
void Multiplier<float>::multiply(const Operand<float>& x, View<float> y, const float* bias,
                                 bool add, const Pack& pack) {
  const kernels::Product& product = product_of(x);
  const std::size_t width = product.panel_width, panel_bytes = product.panel_bytes(x.view.columns);
  const std::size_t together =
      std::clamp<std::size_t>(kPanelBytes / panel_bytes, 1, kPanelsTogether);
  panels_.reserve_discard(together * panel_bytes);
  for (std::size_t n = 0; n < y.columns; n += together * width) {
    const std::size_t count = std::min(together * width, y.columns - n);
    pack(n, count);
    multiply_panels(x, y.columns_from(n, count), bias == nullptr ? nullptr : bias + n, add);
  }
}

void Multiplier<float>::multiply_panels(const Operand<float>& x, View<float> y, const float* bias,
                                        bool add) {
  alignas(64) float padded_bias[kPanelsTogether * 64] = {};
  if (bias != nullptr) std::copy_n(bias, y.columns, padded_bias);
  const kernels::Product& product = product_of(x);
  kernels::Gemm gemm{};
  gemm.x_stride = x.groups == nullptr ? x.view.stride : x.stride;
  gemm.groups = product.groups(x.view.columns);
  gemm.panels = panels_.data();
  gemm.bias = padded_bias;
  gemm.out_features = y.columns;
  gemm.residual_stride = y.stride;
  gemm.y_stride = y.stride;
  gemm.activation = Activation::none;
  gemm.first_panel = 0;
  gemm.last_panel = (y.columns + product.panel_width - 1) / product.panel_width;
  const auto* const rows = static_cast<const float*>(x.groups == nullptr ? x.view.data : x.groups);
  // One panel has no use for rows that it has passed.
  const std::size_t together =
      gemm.last_panel == 1 ? x.view.rows : rows_together(gemm.groups * sizeof(float));
  for (std::size_t first = 0; first < x.view.rows; first += together) {
    gemm.rows = std::min(together, x.view.rows - first);
    gemm.x = rows + first * gemm.x_stride;
    gemm.y = y.row(first);
    gemm.residual = add ? gemm.y : nullptr;
    product.gemm(gemm);
  }
}

void Multiplier<float>::with_transposed(const Operand<float>& x, View<const float> w,
                                        const float* bias, View<float> y, bool add) {
  const kernels::Product& product = product_of(x);
  const std::size_t width = product.panel_width;
  multiply(x, y, bias, add, [&](std::size_t first, std::size_t columns) {
    for (std::size_t n = 0; n < columns; n += width) {
      const std::size_t count = std::min(width, columns - n);
      const float* from = w.row(first + n);
      if (w.stride != w.columns) {
        rows_.reserve_discard(width * w.columns);
        for (std::size_t r = 0; r < count; ++r)
          std::copy_n(w.row(first + n + r), w.columns, rows_.data() + r * w.columns);
        from = rows_.data();
      }
      product.pack_panel(from, count, w.columns,
                         panels_.data() + n / width * product.panel_bytes(w.columns), nullptr,
                         nullptr);
    }
  });
}

void Multiplier<float>::plain(const Operand<float>& x, View<const float> w, View<float> y,
                              bool add) {
  const kernels::Product& product = product_of(x);
  multiply(x, y, nullptr, add, [&](std::size_t first, std::size_t columns) {
    product.pack_columns(w.data + first, w.stride, w.rows, columns, panels_.data());
  });
}

void Multiplier<float>::of_transposed(View<const float> x, View<const float> w, View<float> y,
                                      bool add) {
  const View<float> transposed = transposed_.reshape(x.columns, x.rows).view();
  transpose(x, *table_.f32, transposed.data, transposed.stride);
  plain({transposed_.constant()}, w, y, add);
}

void Multiplier<float>::transpose(View<const float> x, const kernels::Product& product,
                                  float* groups, std::size_t stride) {
  // Columns are cut out as panels, [groups, panel_width], which are near when they are turned.
  const std::size_t width = product.panel_width, height = product.groups(x.rows);
  const std::size_t together = kPanelsTogether * width;
  panels_.reserve_discard(kPanelsTogether * product.panel_bytes(x.rows));
  for (std::size_t c = 0; c < x.columns; c += together) {
    const std::size_t count = std::min(together, x.columns - c);
    product.pack_columns(x.data + c, x.stride, x.rows, count, panels_.data());
    for (std::size_t i = 0; i < count; i += width)
      table_.transpose(reinterpret_cast<const float*>(panels_.data()) + i * height, width, height,
                       std::min(width, count - i), groups + (c + i) * stride, stride);
  }
}

// ------------------------------------------------------------------------------------- threads

template <class T>
Products<T>::Products(const ThreadPool& pool, Precision precision) : pool_(&pool) {
  if constexpr (std::is_same_v<T, float>)
    // Without an instruction of its own bf16 would save memory that training does not keep.
    if (precision != Precision::int8) product_ = &kernels::product(precision);
  const bool possible =
      product_ == nullptr ? precision == Precision::f32 : product_->pack_columns != nullptr;
  if (!possible)
    throw UnsupportedError(
        "training in this precision is not possible here",
        {.field = "precision", .expected = "f32, or bf16 on a processor with AVX512_BF16"});
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
  const std::size_t panels = (columns + kPanelColumns - 1) / kPanelColumns;
  // Small enough for all threads to end at the same time.
  const std::size_t together =
      std::clamp<std::size_t>(panels / (4 * pool_->threads()), 1, kPanelsTogether);
  pool_->parallel_for((panels + together - 1) / together, [&](std::size_t index, std::size_t lane) {
    const std::size_t first = index * together * kPanelColumns;
    task(*lanes_[lane], first, std::min(together * kPanelColumns, columns - first));
  });
}

template <class T>
Operand<T> Products<T>::converted(std::size_t rows, std::size_t columns) {
  const std::size_t groups = product_->groups(columns);
  converted_.reserve_discard(rows * groups);
  return {{nullptr, rows, columns, 0}, product_, converted_.data(), groups};
}

template <class T>
Operand<T> Products<T>::prepare(View<const T> x) {
  if constexpr (std::is_same_v<T, double>) return {x};
  if constexpr (std::is_same_v<T, float>) {
    if (product_->convert_rows == nullptr) return {x};
    const Operand<T> operand = converted(x.rows, x.columns);
    constexpr std::size_t kConvertedRows = 32;
    const std::size_t tasks = (x.rows + kConvertedRows - 1) / kConvertedRows;
    pool_->parallel_for(tasks, [&](std::size_t task, std::size_t) {
      const std::size_t first = task * kConvertedRows;
      product_->convert_rows(x.row(first), std::min(kConvertedRows, x.rows - first), x.stride,
                             x.columns, converted_.data() + first * operand.stride, nullptr,
                             nullptr);
    });
    return operand;
  }
}

template <class T>
Operand<T> Products<T>::prepare_transposed(View<const T> x) {
  if constexpr (std::is_same_v<T, double>) {
    transposed_.reshape(x.columns, x.rows);
    by_columns(x.columns, [&](Multiplier<T>& multiplier, std::size_t first, std::size_t count) {
      multiplier.transpose(x.columns_from(first, count),
                           transposed_.view().rows_from(first, count));
    });
    return {transposed_.constant()};
  }
  if constexpr (std::is_same_v<T, float>) {
    const Operand<T> operand = converted(x.columns, x.rows);
    by_columns(x.columns, [&](Multiplier<T>& multiplier, std::size_t first, std::size_t count) {
      multiplier.transpose(x.columns_from(first, count), *product_,
                           converted_.data() + first * operand.stride, operand.stride);
    });
    return operand;
  }
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
void Products<T>::plain(const Operand<T>& x, View<const T> w, View<T> y, bool add) {
  by_columns(w.columns, [&](Multiplier<T>& multiplier, std::size_t first, std::size_t count) {
    multiplier.plain(x, w.columns_from(first, count), y.columns_from(first, count), add);
  });
}

template <class T>
void Products<T>::plain(View<const T> x, View<const T> w, View<T> y, bool add) {
  plain(prepare(x), w, y, add);
}

template <class T>
void Products<T>::of_transposed(View<const T> x, View<const T> w, View<T> y, bool add) {
  plain(prepare_transposed(x), w, y, add);
}

template class Products<float>;
template class Products<double>;

}  // namespace klue::detail
