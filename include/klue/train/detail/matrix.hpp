#pragma once

#include <algorithm>
#include <cstddef>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// A part of a row-major matrix; `stride` numbers from one row to the next.
template <class T>
struct View {
  T* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;

  T* row(std::size_t r) const { return data + r * stride; }
  View columns_from(std::size_t first, std::size_t count) const {
    return {data + first, rows, count, stride};
  }
  View rows_from(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, columns, stride};
  }
  operator View<const T>() const { return {data, rows, columns, stride}; }
};

/// A matrix that owns its memory and keeps it when it is given another shape.
template <class T>
class Matrix {
 public:
  /// The numbers are whatever they were. The tail of a row, which no result depends on, is read
  /// with it: it is set once.
  Matrix& reshape(std::size_t rows, std::size_t columns) {
    const std::size_t stride = spread_stride(columns), size = rows * stride;
    if (size > buffer_.size()) {
      buffer_ = AlignedBuffer<T>(size);
      std::fill_n(buffer_.data(), size, T(0));
    }
    view_ = {buffer_.data(), rows, columns, stride};
    return *this;
  }
  std::size_t rows() const { return view_.rows; }
  std::size_t columns() const { return view_.columns; }
  T* row(std::size_t r) const { return view_.row(r); }
  const View<T>& view() const { return view_; }
  View<const T> constant() const { return view_; }

 private:
  AlignedBuffer<T> buffer_;
  View<T> view_;
};

}  // namespace klue::detail
