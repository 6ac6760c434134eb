#pragma once

#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include <klue/core/tensor.hpp>

/// How alike two sets of vectors are once the mean over each is taken off: raw cosines are
/// dominated by it, and stay near 1 even where neighbours get swapped.
namespace klue::test {

using Matrix = std::vector<std::vector<double>>;

// Rows minus their mean row, each of length 1.
inline Matrix centred(const Tensor& vectors) {
  const std::size_t rows = vectors.shape()[0], columns = vectors.shape()[1];
  Matrix m(rows, std::vector<double>(columns));
  std::vector<double> mean(columns);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      mean[c] += static_cast<double>(vectors.at(r)[c]) / static_cast<double>(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    double square = 0;
    for (std::size_t c = 0; c < columns; ++c) {
      m[r][c] = static_cast<double>(vectors.at(r)[c]) - mean[c];
      square += m[r][c] * m[r][c];
    }
    for (double& x : m[r])
      x /= std::sqrt(square);
  }
  return m;
}

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Pearson correlation of all pairwise similarities.
inline double similarity_correlation(const Matrix& a, const Matrix& b) {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const double p = dot(a[i], a[j]), q = dot(b[i], b[j]);
      n += 1, x += p, y += q, xx += p * p, yy += q * q, xy += p * q;
    }
  return (n * xy - x * y) / std::sqrt((n * xx - x * x) * (n * yy - y * y));
}

}  // namespace klue::test
