#include <algorithm>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/heap_bytes.hpp>
#include <klue/linear/detail/packed_linear.hpp>
#include <klue/linear/detail/product_linear.hpp>

namespace klue::detail {
namespace {

class PackedLinear final : public ProductLinear {
 public:
  PackedLinear(const kernels::Product& product, const LinearSource& source, const ThreadPool& pool)
      : ProductLinear(product, source), panels_(panel_count() * panel_bytes()) {
    const std::size_t row_floats = product.panel_width * in_features();
    AlignedBuffer<float> rows(pool.threads() * row_floats);
    pool.parallel_for(panel_count(), [&](std::size_t panel, std::size_t lane) {
      pack_panel(source, panel, rows.data() + lane * row_floats,
                 panels_.data() + panel * panel_bytes());
    });
  }

  std::size_t input_stride() const noexcept override { return spread_stride(in_features()); }

  void multiply(const Prepared& x, Rows y, const Epilogue& epilogue,
                const ThreadPool& pool) const override {
    kernels::Gemm whole = gemm(x, y, epilogue);
    whole.panels = panels_.data();
    if (pool.threads() == 1) return product().gemm(whole);
    // A few more tasks than threads even out what else the processors are doing.
    const std::size_t tasks = std::min(panel_count(), pool.threads() * 4);
    pool.parallel_for(tasks, [&](std::size_t task, std::size_t) {
      kernels::Gemm part = whole;
      part.first_panel = panel_count() * task / tasks;
      part.last_panel = panel_count() * (task + 1) / tasks;
      product().gemm(part);
    });
  }

 private:
  std::size_t weight_bytes() const noexcept override { return heap_bytes(panels_); }

  AlignedBuffer<std::byte> panels_;  // [panel, group, panel_width]
};

}  // namespace

std::unique_ptr<const Linear> make_packed_linear(const kernels::Product& product,
                                                 const LinearSource& source,
                                                 const ThreadPool& pool) {
  return std::make_unique<PackedLinear>(product, source, pool);
}

}  // namespace klue::detail
