// Eigen's own product, which packs the weights anew in every call: what the packed engines are
// measured against. Compiled for the instruction set that CMakeLists.txt names, in a namespace of
// its own so that the linker cannot mix it with another copy.

#define Eigen plain_eigen

#include "plain_eigen.hpp"

#include <Eigen/Core>

namespace klue::bench {

void plain_eigen_product(const float* x, std::size_t rows, const float* weights, std::size_t in,
                         std::size_t out, float* y) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  const Eigen::Map<const Matrix> a(x, index(rows), index(in));
  const Eigen::Map<const Matrix> w(weights, index(out), index(in));
  Eigen::Map<Matrix>(y, index(rows), index(out)).noalias() = a * w.transpose();
}

}  // namespace klue::bench
