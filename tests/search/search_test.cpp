// The search room against slow and obvious loops.

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <stop_token>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/search.hpp>

namespace klue::test {
namespace {

using Hits = std::vector<std::vector<Hit>>;

struct Vectors {
  std::size_t columns;
  std::vector<float> values;
  operator VectorsView() const { return {values.data(), values.size() / columns, columns}; }
  std::span<const float> row(std::size_t i) const { return VectorsView(*this).row(i); }
};

// Small whole numbers: every inner product is exact, and many are equal.
Vectors whole_numbers(std::size_t rows, std::size_t columns, unsigned seed) {
  std::mt19937 random(seed);
  Vectors vectors{columns, std::vector<float>(rows * columns)};
  for (float& x : vectors.values)
    x = static_cast<float>(static_cast<int>(random() % 5) - 2);
  return vectors;
}

Vectors gaussian(std::size_t rows, std::size_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Vectors vectors{columns, std::vector<float>(rows * columns)};
  for (float& x : vectors.values)
    x = normal(random);
  return vectors;
}

double slow_score(std::span<const float> a, std::span<const float> b, Similarity similarity) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  if (similarity == Similarity::dot) return dot;
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

Hits slow_top_k(VectorsView queries, VectorsView rows, std::size_t k, Similarity similarity) {
  Hits all;
  for (std::size_t q = 0; q < queries.rows; ++q) {
    std::vector<Hit> hits;
    for (std::size_t r = 0; r < rows.rows; ++r)
      hits.push_back({r, static_cast<float>(slow_score(queries.row(q), rows.row(r), similarity))});
    std::ranges::stable_sort(hits, std::ranges::greater{}, &Hit::score);
    hits.resize(std::min(k, hits.size()));
    all.push_back(std::move(hits));
  }
  return all;
}

TEST(TopK, IsTheSlowOneToTheBitWhereProductsAreExact) {
  for (const std::size_t queries : {1u, 3u, 33u, 1030u})
    for (const std::size_t columns : {1u, 7u, 64u, 512u}) {
      const Vectors q = whole_numbers(queries, columns, 1), rows = whole_numbers(700, columns, 2);
      for (const std::size_t k : {1u, 10u, 1000u}) {
        if (k == 1000 && queries > 100) continue;
        for (const std::size_t threads : {1u, 3u})
          EXPECT_EQ(top_k(q, rows, {.k = k, .similarity = Similarity::dot, .threads = threads}),
                    slow_top_k(q, rows, k, Similarity::dot))
              << queries << " × " << columns << ", k " << k << ", threads " << threads;
      }
    }
}

TEST(TopK, FindsTheNearestByCosine) {
  const Vectors queries = gaussian(70, 96, 3), rows = gaussian(3000, 96, 4);
  const Hits found = top_k(queries, rows, {.k = 10, .threads = 2});
  const Hits wanted = slow_top_k(queries, rows, 10, Similarity::cosine);
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t q = 0; q < found.size(); ++q)
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(found[q][i].index, wanted[q][i].index);
      EXPECT_NEAR(found[q][i].score, wanted[q][i].score, 1e-6);
    }
}

TEST(TopK, EqualVectorsAreEqualHitsInTheirOrder) {
  const Vectors one = gaussian(1, 256, 5);
  Vectors rows = gaussian(2000, 256, 6);
  const std::vector<std::size_t> places{3, 4, 700, 1500, 1999};
  for (const std::size_t place : places)
    std::ranges::copy(one.values, rows.values.begin() + static_cast<std::ptrdiff_t>(place * 256));
  for (const std::size_t threads : {1u, 4u}) {
    const Hits hits = top_k(one, rows, {.k = 4, .threads = threads});
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(hits[0][i].index, places[i]);
      EXPECT_EQ(hits[0][i].score, hits[0][0].score);
      EXPECT_NEAR(hits[0][i].score, 1.0f, 1e-6f);
      EXPECT_LE(hits[0][i].score, 1.0f);
    }
  }
}

TEST(TopK, PartsGiveWhatTheWholeGives) {
  const Vectors queries = gaussian(40, 64, 7), rows = gaussian(5000, 64, 8);
  const Hits whole = top_k(queries, rows, {.k = 7, .threads = 1});
  for (const std::size_t part : {1u, 17u, 999u}) {
    TopK search(queries, {.k = 7, .threads = 2});
    for (std::size_t first = 0; first < 5000; first += part)
      search.add({rows.row(first).data(), std::min<std::size_t>(part, 5000 - first), 64});
    EXPECT_EQ(search.size(), 5000u);
    EXPECT_EQ(search.hits(), whole) << part;
  }
}

TEST(TopK, NothingIsFoundInNothing) {
  const Vectors queries = gaussian(2, 8, 9);
  EXPECT_EQ(top_k(queries, {}, {}), Hits(2));
  EXPECT_EQ(top_k({nullptr, 0, 8}, queries, {}), Hits());
}

TEST(TopK, WithoutLengthThereIsNoDirection) {
  Vectors rows = gaussian(3, 16, 10);
  std::fill_n(rows.values.begin(), 16, 0.0f);
  const Hits hits = top_k(rows, rows, {.k = 3});
  for (const Hit& hit : hits[0])
    EXPECT_EQ(hit.score, 0.0f);
  rows.values[17] = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<Hit>& of_query : top_k(rows, rows, {.k = 3}))
    for (const Hit& hit : of_query)
      EXPECT_FALSE(std::isnan(hit.score));
}

TEST(TopK, RefusesWhatCannotBe) {
  const Vectors a = gaussian(2, 8, 11), b = gaussian(2, 9, 12);
  EXPECT_THROW(top_k(a, b, {}), UsageError);
  EXPECT_THROW(top_k(a, a, {.k = 0}), UsageError);
  EXPECT_THROW(VectorsView(Tensor{2, 3, 4}), UsageError);
}

std::vector<SimilarPair> slow_pairs(VectorsView rows, const PairOptions& options) {
  std::vector<SimilarPair> pairs;
  for (std::size_t i = 0; i < rows.rows; ++i)
    for (std::size_t j = i + 1; j < rows.rows; ++j) {
      const double score = slow_score(rows.row(i), rows.row(j), options.similarity);
      if (score >= static_cast<double>(options.threshold))
        pairs.push_back({i, j, static_cast<float>(score)});
    }
  return pairs;
}

TEST(SimilarPairs, AreTheSlowOnesToTheBitWhereProductsAreExact) {
  const Vectors rows = whole_numbers(2300, 24, 13);
  for (const std::size_t threads : {1u, 3u}) {
    const PairOptions options{.threshold = 30, .similarity = Similarity::dot, .threads = threads};
    const auto wanted = slow_pairs(rows, options);
    EXPECT_GT(wanted.size(), 100u);
    EXPECT_EQ(similar_pairs(rows, options), wanted);
  }
}

TEST(SimilarPairs, EqualVectorsAreADistanceOfOneWhateverTheRounding) {
  const Vectors some = gaussian(300, 256, 14);
  Vectors twice = some;
  twice.values.insert(twice.values.end(), some.values.begin(), some.values.end());
  const auto pairs = similar_pairs(twice, {.threshold = 1.0f});
  ASSERT_EQ(pairs.size(), 300u);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(pairs[i].first, i);
    EXPECT_EQ(pairs[i].second, i + 300);
  }
}

TEST(SimilarPairs, CanBeStopped) {
  const Vectors rows = whole_numbers(100, 4, 15);
  int seen = 0;
  EXPECT_THROW(similar_pairs(rows, {.threshold = -100, .similarity = Similarity::dot},
                             [&](const SimilarPair&) {
                               if (++seen == 3) throw StoppedError();
                             }),
               StoppedError);
  EXPECT_EQ(seen, 3);
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(similar_pairs(rows, {.threshold = 1000, .stop = source.get_token()}), StoppedError);
}

TEST(Communities, TheLargestComesFirstAndNobodyIsInTwo) {
  // 5 is near to 1, 6, 7 and 8; 0 to 1 and 2; 3 to 4.
  const std::vector<SimilarPair> pairs{{0, 1, 1}, {0, 2, 1}, {1, 5, 1}, {3, 4, 1},
                                       {5, 6, 1}, {5, 7, 1}, {5, 8, 1}};
  using Groups = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(communities(10, pairs), (Groups{{5, 1, 6, 7, 8}, {0, 2}, {3, 4}}));
  EXPECT_EQ(communities(10, pairs, 3), (Groups{{5, 1, 6, 7, 8}}));
  EXPECT_EQ(communities(10, {}), Groups{});
  EXPECT_THROW(communities(8, pairs), UsageError);
}

TEST(Communities, OfRandomPairsAreAPartition) {
  std::mt19937 random(16);
  std::set<std::pair<std::size_t, std::size_t>> unique;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t a = random() % 500, b = random() % 500;
    if (a != b) unique.emplace(std::min(a, b), std::max(a, b));
  }
  std::vector<SimilarPair> pairs;
  for (const auto& [a, b] : unique)
    pairs.push_back({a, b, 1});
  std::set<std::size_t> seen;
  std::size_t last = 500;
  for (const auto& group : communities(500, pairs)) {
    EXPECT_LE(group.size(), last);
    last = group.size();
    for (const std::size_t i : group) {
      EXPECT_TRUE(seen.insert(i).second);
      if (i == group[0]) continue;
      EXPECT_TRUE(unique.contains({std::min(i, group[0]), std::max(i, group[0])}));
    }
  }
}

}  // namespace
}  // namespace klue::test
