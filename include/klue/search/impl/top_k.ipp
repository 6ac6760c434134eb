#include <algorithm>
#include <string>

#include <klue/core/error.hpp>
#include <klue/search/detail/best_hits.hpp>
#include <klue/search/detail/score_block.hpp>

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
  // Queries that are packed together, and what each lane has found for them.
  struct Group {
    detail::PackedVectors queries;
    std::vector<detail::BestHits> lanes;
  };

  TopKOptions options;
  std::size_t columns, size = 0;
  ThreadPool pool;
  std::vector<Group> groups{};
  std::vector<detail::PackedVectors::Scratch> scratch{};

  Impl(VectorsView queries, const TopKOptions& o)
      : options(o), columns(queries.columns), pool(o.threads) {
    scratch.resize(pool.threads());
    constexpr std::size_t kMost = detail::PackedVectors::kMost;
    for (std::size_t first = 0; first < queries.rows; first += kMost) {
      const std::size_t count = std::min(kMost, queries.rows - first);
      groups.push_back(
          {detail::PackedVectors({queries.row(first).data(), count, columns}, options.similarity,
                                 pool),
           std::vector<detail::BestHits>(pool.threads(), detail::BestHits(count, options.k))});
    }
  }

  void look(Group& group, VectorsView rows, std::size_t first, std::size_t lane) {
    const float* products = group.queries.multiply(rows, scratch[lane]);
    detail::BestHits& best = group.lanes[lane];
    const std::size_t queries = group.queries.count();
    for (std::size_t r = 0; r < rows.rows; ++r, products += group.queries.stride()) {
      const float scale = detail::score_scale(rows.row(r), options.similarity);
      detail::for_each_above(products, best.thresholds(), queries, scale, [&](std::size_t q) {
        best.offer(q, {first + r, detail::told_score(products[q] * scale, options.similarity)});
      });
    }
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
  if (m.groups.empty()) return;
  // Rows stay in the nearer caches while they meet one group of queries after another.
  const std::size_t at_once = m.groups.front().queries.rows_at_once();
  const std::size_t blocks = (rows.rows + at_once - 1) / at_once;
  m.pool.parallel_for(blocks, [&](std::size_t block, std::size_t lane) {
    const std::size_t first = block * at_once;
    const std::size_t count = std::min(at_once, rows.rows - first);
    const VectorsView part(rows.row(first).data(), count, rows.columns);
    for (Impl::Group& group : m.groups)
      m.look(group, part, m.size + first, lane);
  });
  m.size += rows.rows;
}

std::vector<std::vector<Hit>> TopK::hits() const {
  std::vector<std::vector<Hit>> all;
  for (const Impl::Group& group : impl_->groups)
    for (std::size_t query = 0; query < group.queries.count(); ++query) {
      std::vector<Hit>& hits = all.emplace_back();
      for (const detail::BestHits& lane : group.lanes)
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
