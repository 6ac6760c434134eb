#pragma once

#include <cstddef>
#include <vector>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/search.hpp>

namespace klue::detail {

/// Vectors, packed to be multiplied with many others: of length 1 for the cosine.
class PackedVectors {
 public:
  PackedVectors(VectorsView vectors, Similarity similarity, const ThreadPool& pool);

  std::size_t count() const noexcept { return count_; }

  /// A threshold for each vector; none is found at those that only fill the last panel.
  std::vector<float> thresholds(float all) const;

  /// Rows that are best compared at a time.
  std::size_t rows_at_once() const noexcept;

  /// What a thread needs to compare.
  struct Scratch {
    AlignedBuffer<float> rows;
    std::vector<float> scales;
  };

  /// Calls found(row, vector, score) for each score above its vector's threshold, for each vector
  /// in the order of the rows. found may raise thresholds.
  template <class Found>
  void find_above(VectorsView rows, const std::vector<float>& thresholds, Scratch& scratch,
                  Found found) const {
    const auto call = [](void* context, std::size_t row, std::size_t vector, float score) {
      (*static_cast<Found*>(context))(row, vector, score);
    };
    look(rows, thresholds, scratch, call, &found);
  }

 private:
  std::size_t panel_count() const noexcept;
  void look(VectorsView rows, const std::vector<float>& thresholds, Scratch& scratch,
            decltype(kernels::Search::found) found, void* context) const;

  Similarity similarity_;
  std::size_t count_, columns_;
  AlignedBuffer<std::byte> panels_;
};

/// A score as it is told: a cosine never leaves [−1, 1].
float told_score(float score, Similarity similarity);

}  // namespace klue::detail
