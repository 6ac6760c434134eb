#include <algorithm>
#include <string>

#include <klue/core/error.hpp>
#include <klue/search/detail/best_hits.hpp>
#include <klue/search/detail/packed_vectors.hpp>

namespace klue {
VectorsView::VectorsView(const Tensor& tensor) {
  if (tensor.rank() != 2)
    throw UsageError("not a list of vectors",
                     {.expected = "[rows, columns]", .actual = shape_string(tensor.shape())});
  data = tensor.data();
  rows = tensor.shape()[0];
  columns = tensor.shape()[1];
}

struct TopK::Impl {
  TopKOptions options;
  std::size_t columns, size = 0;
  ThreadPool pool;
  detail::PackedVectors queries;
  std::vector<detail::BestHits> lanes{};  // what each has found
  std::vector<detail::PackedVectors::Scratch> scratch{};

  Impl(VectorsView vectors, const TopKOptions& o)
      : options(o),
        columns(vectors.columns),
        pool(o.threads),
        queries(vectors, o.similarity, pool),
        lanes(pool.threads(), detail::BestHits(queries, o.k)),
        scratch(pool.threads()) {}

  void look(VectorsView rows, std::size_t first, std::size_t lane) {
    detail::BestHits& best = lanes[lane];
    queries.find_above(
        rows, best.thresholds(), scratch[lane],
        [&](std::size_t row, std::size_t query, float score) {
          best.offer(query, {first + row, detail::told_score(score, options.similarity)});
        });
  }
};

TopK::TopK(VectorsView queries, const TopKOptions& options) {
  if (options.k == 0) throw UsageError("k must be at least 1", {.field = "k", .actual = "0"});
  if (queries.columns == 0)
    throw UsageError("vectors without numbers", {.field = "queries", .actual = "[…, 0]"});
  impl_ = std::make_unique<Impl>(queries, options);
}
TopK::TopK(TopK&&) noexcept = default;
TopK& TopK::operator=(TopK&&) noexcept = default;
TopK::~TopK() = default;

std::size_t TopK::size() const noexcept {
  return impl_->size;
}

void TopK::add(VectorsView rows) {
  Impl& m = *impl_;
  if (rows.columns != m.columns && rows.rows != 0)
    throw UsageError("the vectors are not as long as the queries",
                     {.expected = std::to_string(m.columns) + " numbers",
                      .actual = std::to_string(rows.columns)});
  const std::size_t at_once = m.queries.rows_at_once();
  const std::size_t blocks = (rows.rows + at_once - 1) / at_once;
  m.pool.parallel_for(blocks, [&](std::size_t block, std::size_t lane) {
    const std::size_t first = block * at_once;
    const std::size_t count = std::min(at_once, rows.rows - first);
    m.look({rows.row(first).data(), count, rows.columns}, m.size + first, lane);
  });
  m.size += rows.rows;
}

std::vector<std::vector<Hit>> TopK::hits() const {
  std::vector<std::vector<Hit>> all(impl_->queries.count());
  for (std::size_t query = 0; query < all.size(); ++query) {
    std::vector<Hit>& hits = all[query];
    for (const detail::BestHits& lane : impl_->lanes)
      hits.insert(hits.end(), lane.of(query).begin(), lane.of(query).end());
    std::ranges::sort(hits, detail::is_better_hit);
    if (hits.size() > impl_->options.k) hits.resize(impl_->options.k);
  }
  return all;
}

std::vector<std::vector<Hit>> top_k(VectorsView queries, VectorsView rows,
                                    const TopKOptions& options) {
  TopK search(queries, options);
  search.add(rows);
  return search.hits();
}

}  // namespace klue
