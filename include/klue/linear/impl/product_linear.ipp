#include <algorithm>

#include <klue/core/detail/heap_bytes.hpp>
#include <klue/linear/detail/product_linear.hpp>

namespace klue::detail {
namespace {

constexpr std::size_t kGroupBytes = 4;

std::size_t divided_up(std::size_t n, std::size_t by) {
  return (n + by - 1) / by;
}

}  // namespace

ProductLinear::ProductLinear(const kernels::Product& product, const LinearSource& source)
    : Linear(source.in_features, source.out_features),
      product_(product),
      groups_(product.groups(source.in_features)),
      panel_count_(divided_up(source.out_features, product.panel_width)) {
  if (product.precision == Precision::int8) {
    column_scale_ = AlignedBuffer<float>(panel_count_ * product.panel_width);
    column_sum_ = AlignedBuffer<float>(panel_count_ * product.panel_width);
  }
  bias_ = AlignedBuffer<float>(panel_count_ * product.panel_width);
  std::fill_n(bias_.data(), bias_.size(), 0.0f);
  if (source.read_bias) source.read_bias(bias_.span().first(out_features()));
}

std::size_t ProductLinear::panel_bytes() const {
  return product_.panel_bytes(in_features());
}

std::size_t ProductLinear::memory_bytes() const noexcept {
  return weight_bytes() + heap_bytes(column_scale_) + heap_bytes(column_sum_) + heap_bytes(bias_);
}

Prepared ProductLinear::prepare(ConstRows x, Scratch& scratch, const ThreadPool& pool) const {
  if (product_.convert_rows == nullptr)
    return {.data = x.data, .count = x.count, .stride = x.stride};
  const std::size_t row_bytes = groups_ * kGroupBytes;
  const std::size_t numbers_bytes = divided_up(x.count * row_bytes, 64) * 64;
  scratch.reserve_discard(numbers_bytes + 2 * x.count * sizeof(float));
  std::byte* const numbers = scratch.data();
  float* const scale = reinterpret_cast<float*>(numbers + numbers_bytes);
  float* const zero = scale + x.count;
  constexpr std::size_t kRowsPerTask = 32;
  pool.parallel_for(divided_up(x.count, kRowsPerTask), [&](std::size_t task, std::size_t) {
    const std::size_t first = task * kRowsPerTask;
    product_.convert_rows(x.data + first * x.stride, std::min(kRowsPerTask, x.count - first),
                          x.stride, in_features(), numbers + first * row_bytes, scale + first,
                          zero + first);
  });
  return {numbers, x.count, groups_, scale, zero};
}

void ProductLinear::pack_panel(const LinearSource& source, std::size_t panel, float* rows,
                               void* packed) {
  const std::size_t first = panel * product_.panel_width;
  const std::size_t count = std::min(product_.panel_width, out_features() - first);
  source.read_rows(first, {rows, count * in_features()});
  const std::size_t column = column_scale_.empty() ? 0 : first;
  product_.pack_panel(rows, count, in_features(), packed, column_scale_.data() + column,
                      column_sum_.data() + column);
}

kernels::Gemm ProductLinear::gemm(const Prepared& x, Rows y, const Epilogue& epilogue) const {
  return {
      .x = x.data,
      .rows = x.count,
      .x_stride = x.stride,
      .groups = groups_,
      .panels = nullptr,
      .bias = bias_.data(),
      .out_features = out_features(),
      .residual = epilogue.residual.data,
      .residual_stride = epilogue.residual.stride,
      .y = y.data,
      .y_stride = y.stride,
      .activation = epilogue.activation,
      .first_panel = 0,
      .last_panel = panel_count_,
      .row_scale = x.scale,
      .row_zero = x.zero,
      .column_scale = column_scale_.data(),
      .column_sum = column_sum_.data(),
  };
}

}  // namespace klue::detail
