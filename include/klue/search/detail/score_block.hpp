#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/linear.hpp>
#include <klue/search.hpp>

namespace klue::detail {

/// Up to kMost vectors, packed to be multiplied with many others: of length 1 for the cosine.
class PackedVectors {
 public:
  static constexpr std::size_t kMost = 512;

  PackedVectors(VectorsView vectors, Similarity similarity, const ThreadPool& pool);

  std::size_t count() const noexcept { return linear_->out_features(); }

  /// Rows that are best scored at a time.
  std::size_t rows_at_once() const noexcept;

  /// What a thread needs to score.
  struct Scratch {
    AlignedBuffer<float> rows, scores;
    AlignedBuffer<std::byte> prepared;
  };

  /// The products of `rows` (at most rows_at_once()) with the packed vectors: row r's are at
  /// result + r × stride(). They are scores once multiplied by the row's `scale`.
  const float* multiply(VectorsView rows, Scratch& scratch) const;
  std::size_t stride() const noexcept { return stride_; }

 private:
  std::unique_ptr<const Linear> linear_;
  std::size_t stride_;
};

/// What turns a row's products into scores: 1, or for the cosine 1 / length.
float score_scale(std::span<const float> row, Similarity similarity);

/// Calls found(i) for each of `count` products that, times `scale`, is more than its threshold.
/// found may raise thresholds.
template <class Found>
void for_each_above(const float* products, const float* thresholds, std::size_t count, float scale,
                    const Found& found) {
  const auto find_above = kernels::active().find_above;
  for (std::size_t i = 0;; ++i) {
    i += find_above(products + i, thresholds + i, count - i, scale);
    if (i == count) return;
    found(i);
  }
}

/// A score as it is told: a cosine never leaves [−1, 1].
float told_score(float score, Similarity similarity);

}  // namespace klue::detail
