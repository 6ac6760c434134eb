#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <klue/linear/detail/linear.hpp>
#include <klue/search/detail/packed_vectors.hpp>

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

// What turns a row's products into scores: 1, or for the cosine 1 / length.
float score_scale(std::span<const float> row, Similarity similarity) {
  return similarity == Similarity::cosine ? static_cast<float>(inverse_length(row)) : 1.0f;
}

}  // namespace

PackedVectors::PackedVectors(VectorsView vectors, Similarity similarity, const ThreadPool& pool)
    : similarity_(similarity), count_(vectors.rows), columns_(vectors.columns) {
  const kernels::Product& product = kernels::product(Precision::f32);
  const std::size_t width = product.panel_width, panel_bytes = product.panel_bytes(columns_);
  panels_ = AlignedBuffer<std::byte>(panel_count() * panel_bytes);
  std::vector<AlignedBuffer<float>> lanes(pool.threads());
  pool.parallel_for(panel_count(), [&](std::size_t panel, std::size_t lane) {
    const std::size_t first = panel * width, count = std::min(width, count_ - first);
    AlignedBuffer<float>& scaled = lanes[lane];
    scaled.reserve_discard(width * columns_);
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<const float> row = vectors.row(first + i);
      const float scale = score_scale(row, similarity);
      std::ranges::transform(row, scaled.data() + i * columns_,
                             [scale](float x) { return x * scale; });
    }
    product.pack_panel(scaled.data(), count, columns_, panels_.data() + panel * panel_bytes,
                       nullptr, nullptr);
  });
}

std::size_t PackedVectors::panel_count() const noexcept {
  const std::size_t width = kernels::product(Precision::f32).panel_width;
  return (count_ + width - 1) / width;
}

std::vector<float> PackedVectors::thresholds(float all) const {
  std::vector<float> thresholds(panel_count() * kernels::product(Precision::f32).panel_width,
                                std::numeric_limits<float>::infinity());
  std::fill_n(thresholds.begin(), count_, all);
  return thresholds;
}

std::size_t PackedVectors::rows_at_once() const noexcept {
  // They stay in the second-level cache while all vectors stream past them. Kernels multiply up to
  // 6, or up to 14, rows together: of 42 none has to take fewer.
  constexpr std::size_t kFloats = std::size_t{44} << 10, kMultiple = 42;
  return std::clamp<std::size_t>(kFloats / columns_ / kMultiple, 1, 24) * kMultiple;
}

void PackedVectors::look(VectorsView rows, const std::vector<float>& thresholds, Scratch& scratch,
                         decltype(kernels::Search::found) found, void* context) const {
  scratch.scales.resize(rows.rows);
  for (std::size_t r = 0; r < rows.rows; ++r)
    scratch.scales[r] = score_scale(rows.row(r), similarity_);
  const std::size_t stride = spread_stride(columns_);
  const float* data = rows.data;
  if (stride != columns_) {
    scratch.rows.reserve_discard(rows.rows * stride);
    for (std::size_t r = 0; r < rows.rows; ++r)
      std::memcpy(scratch.rows.data() + r * stride, rows.row(r).data(), columns_ * sizeof(float));
    data = scratch.rows.data();
  }
  kernels::active().find_above({.rows = data,
                                .row_count = rows.rows,
                                .row_stride = stride,
                                .columns = columns_,
                                .row_scale = scratch.scales.data(),
                                .panels = panels_.data(),
                                .panel_count = panel_count(),
                                .thresholds = thresholds.data(),
                                .found = found,
                                .context = context});
}

float told_score(float score, Similarity similarity) {
  return similarity == Similarity::cosine ? std::clamp(score, -1.0f, 1.0f) : score;
}

}  // namespace klue::detail
