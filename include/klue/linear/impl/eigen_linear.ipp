#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/heap_bytes.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/eigen.hpp>
#include <klue/linear/detail/eigen_linear.hpp>
#include <klue/linear/detail/product_linear.hpp>

namespace klue::detail {
namespace {

using EigenMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using EigenRows = Eigen::Map<EigenMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstEigenRows = Eigen::Map<const EigenMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;

constexpr Eigen::Index eigen_index(std::size_t n) {
  return static_cast<Eigen::Index>(n);
}

// Eigen prepares the weights anew in every product, so a product should have many rows; but its
// sums should not leave the caches before they are finished.
constexpr std::size_t kEigenTileRows = 256;
constexpr std::size_t kEigenTileFeatures = 512;

class EigenLinear final : public ProductLinear {
 public:
  EigenLinear(const kernels::Product& product, const LinearSource& source, const ThreadPool& pool)
      : ProductLinear(product, source),
        weights_(panel_count() * product.panel_width * in_features()) {
    const std::size_t real = out_features() * in_features();
    std::fill_n(weights_.data() + real, weights_.size() - real, 0.0f);
    const std::size_t width = product.panel_width;
    pool.parallel_for(panel_count(), [&](std::size_t panel, std::size_t) {
      const std::size_t first = panel * width, count = std::min(width, out_features() - first);
      source.read_rows(first, {weights_.data() + first * in_features(), count * in_features()});
    });
  }

  std::size_t input_stride() const noexcept override { return spread_stride(in_features()); }

  void multiply(const Prepared& x, Rows y, const Epilogue& epilogue,
                const ThreadPool& pool) const override {
    const kernels::Gemm whole = gemm(x, y, epilogue);
    const std::size_t width = product().panel_width;
    const std::size_t slices = std::max((panel_count() * width - 1) / kEigenTileFeatures + 1,
                                        std::min(panel_count(), pool.threads()));
    const std::size_t tiles = (x.count + kEigenTileRows - 1) / kEigenTileRows;
    pool.parallel_for(slices * tiles, [&](std::size_t task, std::size_t) {
      const std::size_t slice = task / tiles, tile = task % tiles;
      const std::size_t first = x.count * tile / tiles;
      const std::size_t rows = x.count * (tile + 1) / tiles - first;
      kernels::Gemm part = whole;
      part.first_panel = panel_count() * slice / slices;
      part.last_panel = panel_count() * (slice + 1) / slices;
      const std::size_t features = (part.last_panel - part.first_panel) * width;

      thread_local AlignedBuffer<float> sums;
      sums.reserve_discard(rows * features);
      const ConstEigenRows a(static_cast<const float*>(x.data) + first * x.stride,
                             eigen_index(rows), eigen_index(in_features()),
                             Eigen::OuterStride<>(eigen_index(x.stride)));
      const ConstEigenRows w(weights_.data() + part.first_panel * width * in_features(),
                             eigen_index(features), eigen_index(in_features()),
                             Eigen::OuterStride<>(eigen_index(in_features())));
      EigenRows result(sums.data(), eigen_index(rows), eigen_index(features),
                       Eigen::OuterStride<>(eigen_index(features)));
      result.noalias() = a * w.transpose();
      product().finish(part, sums.data(), features, first, rows);
    });
  }

 private:
  std::size_t weight_bytes() const noexcept override { return heap_bytes(weights_); }

  AlignedBuffer<float> weights_;  // [panels × panel_width, in_features], zeros past out_features
};

}  // namespace

std::unique_ptr<const Linear> make_eigen_linear(const kernels::Product& product,
                                                const LinearSource& source,
                                                const ThreadPool& pool) {
  return std::make_unique<EigenLinear>(product, source, pool);
}

std::string eigen_version() {
#if EIGEN_MAJOR_VERSION >= 5
  const int numbers[] = {EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION, EIGEN_PATCH_VERSION};
#else
  const int numbers[] = {EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION};
#endif
  std::string version = "Eigen " + std::to_string(numbers[0]) + "." + std::to_string(numbers[1]) +
                        "." + std::to_string(numbers[2]);
#if defined(EIGEN_USE_BLAS)
  version += " on BLAS";
#endif
  return version;
}

}  // namespace klue::detail
