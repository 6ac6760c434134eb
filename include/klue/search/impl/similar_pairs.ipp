#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <string>
#include <tuple>

#include <klue/core/error.hpp>
#include <klue/search/detail/packed_vectors.hpp>

namespace klue {
namespace {

// What rounding may take from the cosine of equal vectors.
constexpr float kPairRounding = 1e-6f;

// Pairs of one block of first vectors with the rows of another block, [first_row, …).
class PairFinder {
 public:
  PairFinder(const detail::PackedVectors& block, std::size_t first_of_block,
             const PairOptions& options)
      : block_(block), first_of_block_(first_of_block), similarity_(options.similarity) {
    // Above is compared, not at or above.
    const float least =
        similarity_ == Similarity::cosine ? options.threshold - kPairRounding : options.threshold;
    thresholds_ = block.thresholds(std::nextafter(least, -std::numeric_limits<float>::infinity()));
  }

  void look(VectorsView rows, std::size_t first_row, detail::PackedVectors::Scratch& scratch,
            std::vector<SimilarPair>& found) const {
    block_.find_above(
        rows, thresholds_, scratch, [&](std::size_t row, std::size_t vector, float score) {
          const std::size_t first = first_of_block_ + vector, second = first_row + row;
          // Of the block itself only the vectors in front of this one.
          if (first < second)
            found.push_back({first, second, detail::told_score(score, similarity_)});
        });
  }

 private:
  const detail::PackedVectors& block_;
  std::size_t first_of_block_;
  Similarity similarity_;
  std::vector<float> thresholds_;
};

bool is_pair_before(const SimilarPair& a, const SimilarPair& b) {
  return std::tie(a.first, a.second) < std::tie(b.first, b.second);
}

}  // namespace

void similar_pairs(VectorsView rows, const PairOptions& options,
                   const std::function<void(const SimilarPair&)>& found) {
  if (rows.rows == 0) return;
  if (rows.columns == 0)
    throw UsageError("vectors without numbers", {.field = "rows", .actual = "[…, 0]"});
  const ThreadPool pool(options.threads);
  std::vector<detail::PackedVectors::Scratch> scratch(pool.threads());
  std::vector<std::vector<SimilarPair>> lanes(pool.threads());
  std::vector<SimilarPair> pairs;
  constexpr std::size_t kMost = 512;
  for (std::size_t first = 0; first < rows.rows; first += kMost) {
    const std::size_t count = std::min(kMost, rows.rows - first);
    const detail::PackedVectors block({rows.row(first).data(), count, rows.columns},
                                      options.similarity, pool);
    const PairFinder finder(block, first, options);
    const std::size_t at_once = block.rows_at_once(), left = rows.rows - first;
    pool.parallel_for((left + at_once - 1) / at_once, [&](std::size_t part, std::size_t lane) {
      if (options.stop.stop_requested()) throw StoppedError();
      const std::size_t begin = first + part * at_once;
      const std::size_t height = std::min(at_once, rows.rows - begin);
      finder.look({rows.row(begin).data(), height, rows.columns}, begin, scratch[lane],
                  lanes[lane]);
    });
    pairs.clear();
    for (std::vector<SimilarPair>& lane : lanes) {
      pairs.insert(pairs.end(), lane.begin(), lane.end());
      lane.clear();
    }
    std::ranges::sort(pairs, is_pair_before);
    std::ranges::for_each(pairs, found);
  }
}

std::vector<SimilarPair> similar_pairs(VectorsView rows, const PairOptions& options) {
  std::vector<SimilarPair> pairs;
  similar_pairs(rows, options, [&](const SimilarPair& pair) { pairs.push_back(pair); });
  return pairs;
}

std::vector<std::vector<std::size_t>> communities(std::size_t rows,
                                                  std::span<const SimilarPair> pairs,
                                                  std::size_t least_size) {
  std::vector<std::vector<std::size_t>> neighbours(rows);
  for (const SimilarPair& pair : pairs) {
    if (pair.first >= rows || pair.second >= rows)
      throw UsageError("a pair of vectors that are not there",
                       {.expected = "below " + std::to_string(rows),
                        .actual = std::to_string(std::max(pair.first, pair.second))});
    neighbours[pair.first].push_back(pair.second);
    neighbours[pair.second].push_back(pair.first);
  }
  // Largest first, of equal ones the first vector. An entry that has lost neighbours since is put
  // back with what is left.
  using Entry = std::pair<std::size_t, std::size_t>;  // neighbours left, rows − vector
  std::priority_queue<Entry> queue;
  for (std::size_t i = 0; i < rows; ++i)
    if (!neighbours[i].empty()) queue.emplace(neighbours[i].size(), rows - i);
  std::vector<bool> taken(rows, false);
  std::vector<std::vector<std::size_t>> groups;
  while (!queue.empty()) {
    const auto [size, reverse] = queue.top();
    const std::size_t centre = rows - reverse;
    queue.pop();
    if (taken[centre]) continue;
    std::vector<std::size_t>& around = neighbours[centre];
    std::erase_if(around, [&](std::size_t i) { return taken[i]; });
    if (around.size() + 1 < std::max<std::size_t>(least_size, 2)) continue;
    if (around.size() < size) {
      queue.emplace(around.size(), reverse);
      continue;
    }
    std::ranges::sort(around);
    std::vector<std::size_t>& group = groups.emplace_back();
    group.push_back(centre);
    group.insert(group.end(), around.begin(), around.end());
    for (const std::size_t i : group)
      taken[i] = true;
  }
  return groups;
}

}  // namespace klue
