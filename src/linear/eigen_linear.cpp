#include <algorithm>
#include <string>

#include <klue/core/aligned_buffer.hpp>
#include <klue/linear/linear.hpp>

namespace klue {
namespace {

// The packed kernels of the active instruction set, divided among threads.
class EigenLinear final : public Linear {
 public:
  EigenLinear(const LinearSource& source, const ThreadPool& pool)
      : Linear(source.in_features, source.out_features), kernels_(kernels::active()) {
    const std::size_t width = kernels_.panel_width;
    panel_count_ = (out_features() + width - 1) / width;
    panels_ = AlignedBuffer<float>(panel_count_ * width * in_features());
    pack(source, pool);
    if (source.read_bias) {
      bias_ = AlignedBuffer<float>(out_features());
      source.read_bias(bias_.span());
    }
  }

  void apply(ConstRows x, Rows y, const Epilogue& epilogue, const ThreadPool& pool) const override {
    kernels::Gemm gemm{
        .x = x.data,
        .rows = x.count,
        .x_stride = x.stride,
        .in_features = in_features(),
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
    };
    if (pool.threads() == 1) return kernels_.gemm(gemm);
    // A few more tasks than threads even out what else the processors are doing.
    const std::size_t tasks = std::min(panel_count_, pool.threads() * 4);
    pool.parallel_for(tasks, [&](std::size_t task, std::size_t) {
      kernels::Gemm part = gemm;
      part.first_panel = panel_count_ * task / tasks;
      part.last_panel = panel_count_ * (task + 1) / tasks;
      kernels_.gemm(part);
    });
  }

 private:
  void pack(const LinearSource& source, const ThreadPool& pool) {
    const std::size_t width = kernels_.panel_width;
    AlignedBuffer<float> scratch(pool.threads() * width * in_features());
    pool.parallel_for(panel_count_, [&](std::size_t panel, std::size_t lane) {
      float* const rows = scratch.data() + lane * width * in_features();
      const std::size_t first = panel * width, count = std::min(width, out_features() - first);
      for (std::size_t r = 0; r < count; ++r)
        source.read_row(first + r, {rows + r * in_features(), in_features()});
      kernels_.pack_panel(rows, in_features(), count, in_features(),
                          panels_.data() + first * in_features());
    });
  }

  const kernels::Table& kernels_;
  std::size_t panel_count_ = 0;
  AlignedBuffer<float> panels_;  // [panel, in_features, panel_width]
  AlignedBuffer<float> bias_;    // [out_features], or empty
};

}  // namespace

std::unique_ptr<const Linear> make_linear(Engine, const LinearSource& source,
                                          const ThreadPool& pool) {
  return std::make_unique<EigenLinear>(source, pool);
}

std::string describe_engine(Engine) {
  return std::string("Eigen, ") + kernels::active().name;
}

}  // namespace klue
