#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include <klue/search.hpp>
#include <klue/search/detail/packed_vectors.hpp>

namespace klue::detail {

/// Best first; equal ones in order.
inline bool is_better_hit(const Hit& a, const Hit& b) {
  return a.score > b.score || (a.score == b.score && a.index < b.index);
}

/// The best hits of some queries that one thread has seen.
class BestHits {
 public:
  BestHits(const PackedVectors& queries, std::size_t k)
      : k_(k),
        heaps_(queries.count()),
        thresholds_(queries.thresholds(-std::numeric_limits<float>::infinity())) {}

  const std::vector<float>& thresholds() const { return thresholds_; }
  const std::vector<Hit>& of(std::size_t query) const { return heaps_[query]; }

  /// Hits come in the order of their indices, so that of equal ones those stay that are there.
  void offer(std::size_t query, const Hit& hit) {
    if (!(hit.score > thresholds_[query])) return;
    std::vector<Hit>& heap = heaps_[query];  // the worst in front
    if (heap.size() == k_) {
      std::ranges::pop_heap(heap, is_better_hit);
      heap.pop_back();
    }
    heap.push_back(hit);
    std::ranges::push_heap(heap, is_better_hit);
    if (heap.size() == k_) thresholds_[query] = heap.front().score;
  }

 private:
  std::size_t k_;
  std::vector<std::vector<Hit>> heaps_;
  std::vector<float> thresholds_;  // what a score must be above
};

}  // namespace klue::detail
