#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/core/tensor.hpp>

/// What is near to what, among vectors in memory or in a mapped file: exact, by matrix products in
/// blocks, so that nothing is ever compared twice and nothing of the size of all pairs is held.
namespace klue {

/// Vectors in memory, one behind another: [rows, columns] in C order. The memory is the caller's
/// and may be a mapped file; any alignment of a float will do.
struct KLUE_EXPORT VectorsView {
  const float* data = nullptr;        ///< of the first row
  std::size_t rows = 0, columns = 0;  ///< of the matrix, in C order

  VectorsView() = default;
  /// Over memory of the caller's, which must outlive the view.
  VectorsView(const float* data_, std::size_t rows_, std::size_t columns_)
      : data(data_), rows(rows_), columns(columns_) {}
  /// Of a tensor [rows, columns]. Throws UsageError for another rank.
  VectorsView(const Tensor& tensor);  // NOLINT: what `Model::embed` returns is a list of vectors

  /// Row i, which must be below rows.
  std::span<const float> row(std::size_t i) const { return {data + i * columns, columns}; }
};

/// What makes two vectors near each other.
enum class Similarity : std::uint8_t {
  cosine,  ///< in [−1, 1]; 0 where a vector has length 0
  dot      ///< the inner product
};

/// A vector that is near, and how near.
struct Hit {
  std::size_t index = 0;  ///< of the row
  float score = 0;        ///< the similarity
  bool operator==(const Hit&) const = default;
};

/// How the nearest are looked for.
struct TopKOptions {
  std::size_t k = 10;  ///< hits for each query; fewer where there are fewer vectors
  Similarity similarity = Similarity::cosine;  ///< what counts as near
  std::size_t threads = 0;                     ///< 0: all the process may use
};

/// The k nearest vectors of each query, of vectors that come in parts: they need not be in memory
/// together. Memory: the queries twice, and k hits for each query and thread.
///
/// A vector's score is the same bits whatever it is compared with at the same time, so equal
/// vectors have equal scores. A score that is NaN is no hit.
class KLUE_EXPORT TopK {
 public:
  /// Throws UsageError for k = 0 and for queries without numbers.
  TopK(VectorsView queries, const TopKOptions& options);
  TopK(TopK&&) noexcept;
  TopK& operator=(TopK&&) noexcept;
  ~TopK();

  /// Looks at further vectors; the first of them has the index `size()`. O(queries × rows ×
  /// columns). Throws UsageError where they have another number of columns.
  void add(VectorsView rows);

  /// Vectors looked at.
  std::size_t size() const noexcept;

  /// For each query its hits, best first; equal scores in the order of the vectors.
  std::vector<std::vector<Hit>> hits() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // of nobody else; unique_ptr takes longer to compile
};

/// The k nearest of `rows` for each query, best first; equal scores in the order of the rows.
/// Throws as TopK does.
KLUE_EXPORT std::vector<std::vector<Hit>> top_k(VectorsView queries, VectorsView rows,
                                                const TopKOptions& options = {});

/// Two vectors that are near each other.
struct SimilarPair {
  std::size_t first = 0, second = 0;  ///< first < second
  float score = 0;                    ///< the similarity
  bool operator==(const SimilarPair&) const = default;
};

/// How near pairs are looked for.
struct PairOptions {
  /// The least score of a pair. A millionth less counts, too: as much as rounding may take from the
  /// cosine of equal vectors.
  float threshold = 0.9f;
  Similarity similarity = Similarity::cosine;  ///< what counts as near
  std::size_t threads = 0;                     ///< 0: all the process may use
  /// Once it is stopped the call throws StoppedError: soon, for it looks between short parts.
  std::stop_token stop{};
};

/// Calls `found` for all pairs at or above the threshold, in the order of their first vectors, then
/// of their second, on the calling thread. What it throws ends the call. O(rows² × columns) time;
/// memory for the pairs of 512 first vectors at a time.
KLUE_EXPORT void similar_pairs(VectorsView rows, const PairOptions& options,
                               const std::function<void(const SimilarPair&)>& found);

/// The same as a list.
KLUE_EXPORT std::vector<SimilarPair> similar_pairs(VectorsView rows,
                                                   const PairOptions& options = {});

/// Groups of vectors around a common centre, of the pairs that `similar_pairs` found among `rows`
/// vectors: the vector with most neighbours takes them all, then the one with most of those that
/// are left, and so on; of equal ones the first. Largest first; in each, the centre first, then its
/// neighbours in order. A vector is in at most one. Throws UsageError for a pair
/// outside the rows.
KLUE_EXPORT std::vector<std::vector<std::size_t>> communities(std::size_t rows,
                                                              std::span<const SimilarPair> pairs,
                                                              std::size_t least_size = 2);

}  // namespace klue
