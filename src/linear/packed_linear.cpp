#include "linear/packed_linear.hpp"

#include <algorithm>
#include <utility>

#include <klue/core/aligned_buffer.hpp>

namespace klue {
namespace {

constexpr std::size_t kGroupBytes = 4;

class PackedLinear final : public Linear {
 public:
  PackedLinear(const kernels::Product& product, const LinearSource& source, const ThreadPool& pool)
      : Linear(source.in_features, source.out_features),
        product_(product),
        groups_((source.in_features + product.group_numbers - 1) / product.group_numbers),
        panel_count_((source.out_features + product.panel_width - 1) / product.panel_width),
        panels_(panel_count_ * panel_bytes()),
        column_scale_(padded_features()),
        column_sum_(padded_features()) {
    pack(source, pool);
    if (!source.read_bias) return;
    bias_ = AlignedBuffer<float>(out_features());
    source.read_bias(bias_.span());
  }

  Prepared prepare(ConstRows x, Scratch& scratch, const ThreadPool& pool) const override {
    if (product_.convert_rows == nullptr)
      return {.data = x.data, .count = x.count, .stride = x.stride};
    const std::size_t row_bytes = groups_ * kGroupBytes;
    const std::size_t numbers_bytes = (x.count * row_bytes + 63) / 64 * 64;
    scratch.reserve_discard(numbers_bytes + 2 * x.count * sizeof(float));
    std::byte* const numbers = scratch.data();
    float* const scale = reinterpret_cast<float*>(numbers + numbers_bytes);
    float* const zero = scale + x.count;
    constexpr std::size_t kRowsPerTask = 32;
    pool.parallel_for(
        (x.count + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task, std::size_t) {
          const std::size_t first = task * kRowsPerTask;
          product_.convert_rows(x.data + first * x.stride, std::min(kRowsPerTask, x.count - first),
                                x.stride, in_features(), numbers + first * row_bytes, scale + first,
                                zero + first);
        });
    return {numbers, x.count, groups_, scale, zero};
  }

  void multiply(const Prepared& x, Rows y, const Epilogue& epilogue,
                const ThreadPool& pool) const override {
    const kernels::Gemm gemm{
        .x = x.data,
        .rows = x.count,
        .x_stride = x.stride,
        .groups = groups_,
        .panels = panels_.data(),
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
    if (pool.threads() == 1) return product_.gemm(gemm);
    // A few more tasks than threads even out what else the processors are doing.
    const std::size_t tasks = std::min(panel_count_, pool.threads() * 4);
    pool.parallel_for(tasks, [&](std::size_t task, std::size_t) {
      kernels::Gemm part = gemm;
      part.first_panel = panel_count_ * task / tasks;
      part.last_panel = panel_count_ * (task + 1) / tasks;
      product_.gemm(part);
    });
  }

 private:
  std::size_t panel_bytes() const { return groups_ * product_.panel_width * kGroupBytes; }

  // Only int8 has scales and sums.
  std::size_t padded_features() const {
    return product_.precision == Precision::int8 ? panel_count_ * product_.panel_width : 0;
  }

  void pack(const LinearSource& source, const ThreadPool& pool) {
    const std::size_t width = product_.panel_width;
    AlignedBuffer<float> scratch(pool.threads() * width * in_features());
    pool.parallel_for(panel_count_, [&](std::size_t panel, std::size_t lane) {
      float* const rows = scratch.data() + lane * width * in_features();
      const std::size_t first = panel * width, count = std::min(width, out_features() - first);
      source.read_rows(first, {rows, count * in_features()});
      const std::size_t column = column_scale_.empty() ? 0 : first;
      product_.pack_panel(rows, count, in_features(), panels_.data() + panel * panel_bytes(),
                          column_scale_.data() + column, column_sum_.data() + column);
    });
  }

  const kernels::Product& product_;
  std::size_t groups_, panel_count_;
  AlignedBuffer<std::byte> panels_;    // [panel, group, panel_width]
  AlignedBuffer<float> column_scale_;  // [padded out_features], int8 only
  AlignedBuffer<float> column_sum_;
  AlignedBuffer<float> bias_;  // [out_features], or empty
};

}  // namespace

std::unique_ptr<const Linear> make_packed_linear(const kernels::Product& product,
                                                 const LinearSource& source,
                                                 const ThreadPool& pool) {
  return std::make_unique<PackedLinear>(product, source, pool);
}

}  // namespace klue
