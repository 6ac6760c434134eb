// Exact search, ours beside FAISS's flat index, in one run and on one thread: how many of the
// processor's multiply-adds the products get, and that both find the same.
//
//     search_benchmark [ROWS [QUERIES [COLUMNS [K]]]]      default: 1000000 1000 256 10

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include <klue/search.hpp>

#include "../peak.hpp"

#if KLUE_WITH_FAISS
#include <faiss/IndexFlat.h>
#include <omp.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;

// Vectors of length 1 in all directions.
std::vector<float> directions(std::size_t rows, std::size_t columns, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<float> values(rows * columns);
  for (std::size_t i = 0; i < rows; ++i) {
    float* row = values.data() + i * columns;
    double sum = 0;
    for (std::size_t j = 0; j < columns; ++j) {
      // Twelve bits three times: near enough to normal, and quick to make.
      const auto part = [&] { return static_cast<float>(random() >> 8 & 4095u) / 4096.0f - 0.5f; };
      row[j] = part() + part() + part();
      sum += static_cast<double>(row[j]) * static_cast<double>(row[j]);
    }
    for (std::size_t j = 0; j < columns; ++j)
      row[j] = static_cast<float>(static_cast<double>(row[j]) / std::sqrt(sum));
  }
  return values;
}

template <class Run>
double best_seconds(const Run& run) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto begin = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

std::size_t argument(int argc, char** argv, int i, std::size_t otherwise) {
  return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argument(argc, argv, 1, 1'000'000);
  const std::size_t queries = argument(argc, argv, 2, 1000);
  const std::size_t columns = argument(argc, argv, 3, 256);
  const std::size_t k = argument(argc, argv, 4, 10);
  const std::vector<float> base = directions(rows, columns, 1);
  const std::vector<float> asked = directions(queries, columns, 2);
  const double gflop = 2e-9 * static_cast<double>(rows) * static_cast<double>(queries) *
                       static_cast<double>(columns);
  std::printf("top %zu of %zu queries over %zu × %zu, one thread\n", k, queries, rows, columns);

  const double peak = klue::bench::peak_f32();
  std::vector<std::vector<klue::Hit>> hits;
  for (const auto similarity : {klue::Similarity::dot, klue::Similarity::cosine}) {
    const double seconds = best_seconds([&] {
      hits = klue::top_k({asked.data(), queries, columns}, {base.data(), rows, columns},
                         {.k = k, .similarity = similarity, .threads = 1});
    });
    std::printf("%-12s %7.2f s  %6.1f GFLOP/s  %5.1f %% of the f32 peak (%.1f)\n",
                similarity == klue::Similarity::dot ? "klue dot" : "klue cosine", seconds,
                gflop / seconds, 100 * gflop / seconds / peak, peak);
  }

#if KLUE_WITH_FAISS
  omp_set_num_threads(1);
  faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(columns));
  index.add(static_cast<faiss::Index::idx_t>(rows), base.data());
  std::vector<float> scores(queries * k);
  std::vector<faiss::Index::idx_t> labels(queries * k);
  const double seconds = best_seconds([&] {
    index.search(static_cast<faiss::Index::idx_t>(queries), asked.data(),
                 static_cast<faiss::Index::idx_t>(k), scores.data(), labels.data());
  });
  std::printf("%-12s %7.2f s  %6.1f GFLOP/s  %5.1f %%\n", "FAISS flat", seconds, gflop / seconds,
              100 * gflop / seconds / peak);
  std::size_t same = 0;
  for (std::size_t q = 0; q < queries; ++q)
    for (std::size_t i = 0; i < k; ++i)
      same += std::ranges::count(hits[q], static_cast<std::size_t>(labels[q * k + i]),
                                 &klue::Hit::index) != 0
                  ? 1
                  : 0;
  std::printf("hits that both found: %zu of %zu\n", same, queries * k);
#endif
}
