#include <algorithm>
#include <cmath>
#include <cstring>

#include <klue/search/detail/score_block.hpp>

namespace klue::detail {
namespace {

double slow_square_length(std::span<const float> row) {
  double sum = 0;
  for (const float x : row)
    sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

// 1 / length: every length, and with it every score, is its row's alone. Sixteen sums side by side,
// which a processor adds at once; where float is too narrow for them, in double.
double inverse_length(std::span<const float> row) {
  float sums[16] = {};
  const std::size_t whole = row.size() / 16 * 16;
  for (std::size_t i = 0; i < whole; i += 16)
    for (std::size_t j = 0; j < 16; ++j)
      sums[j] += row[i + j] * row[i + j];
  double sum = slow_square_length(row.subspan(whole));
  for (const float part : sums)
    sum += static_cast<double>(part);
  constexpr double kLeast = 1e-25, kMost = 1e35;
  if (!(sum > kLeast && sum < kMost)) sum = slow_square_length(row);
  return sum > 0 ? 1 / std::sqrt(sum) : 0;
}

const ThreadPool& pool_of_one() {
  static const ThreadPool pool(1);
  return pool;
}

}  // namespace

PackedVectors::PackedVectors(VectorsView vectors, Similarity similarity, const ThreadPool& pool) {
  LinearSource source{.in_features = vectors.columns, .out_features = vectors.rows};
  source.read_rows = [&](std::size_t first, std::span<float> rows) {
    for (std::size_t i = 0; i < rows.size() / vectors.columns; ++i) {
      const std::span<const float> from = vectors.row(first + i);
      const std::span<float> to = rows.subspan(i * vectors.columns, vectors.columns);
      const auto scale =
          static_cast<float>(similarity == Similarity::cosine ? inverse_length(from) : 1.0);
      std::ranges::transform(from, to.begin(), [scale](float x) { return x * scale; });
    }
  };
  linear_ = make_linear(Engine::automatic, Precision::f32, source, pool);
  stride_ = spread_stride((vectors.rows + 15) / 16 * 16);
}

std::size_t PackedVectors::rows_at_once() const noexcept {
  // Their products stay in the second-level cache until they have been looked at. Kernels multiply
  // up to 6, or up to 14, rows together: of 96 none has to take fewer.
  constexpr std::size_t kFloats = std::size_t{48} << 10, kMultiple = 96;
  return std::clamp<std::size_t>(kFloats / stride_ / kMultiple, 1, 10) * kMultiple;
}

const float* PackedVectors::multiply(VectorsView rows, Scratch& scratch) const {
  const std::size_t width = linear_->input_stride();
  const float* data = rows.data;
  if (width != rows.columns) {
    scratch.rows.reserve_discard(rows.rows * width);
    for (std::size_t r = 0; r < rows.rows; ++r)
      std::memcpy(scratch.rows.data() + r * width, rows.row(r).data(),
                  rows.columns * sizeof(float));
    data = scratch.rows.data();
  }
  scratch.scores.reserve_discard(rows_at_once() * stride_);
  linear_->apply({data, rows.rows, width}, {scratch.scores.data(), rows.rows, stride_}, {},
                 scratch.prepared, pool_of_one());
  return scratch.scores.data();
}

float score_scale(std::span<const float> row, Similarity similarity) {
  return similarity == Similarity::cosine ? static_cast<float>(inverse_length(row)) : 1.0f;
}

float told_score(float score, Similarity similarity) {
  return similarity == Similarity::cosine ? std::clamp(score, -1.0f, 1.0f) : score;
}

}  // namespace klue::detail
