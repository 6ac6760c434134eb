// Exact search, ours beside FAISS's flat index, in one run and on one thread: how many of the
// processor's multiply-adds the products get, and that both find the same.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include <klue/search.hpp>

#include "../command_line.hpp"
#include "../peak.hpp"

#if KLUE_WITH_FAISS
#include <faiss/IndexFlat.h>
#include <omp.h>

// OpenBLAS, where it is FAISS's BLAS, has threads of its own, which OpenMP's number says nothing
// to.
extern "C" [[gnu::weak]] void openblas_set_num_threads(int threads);
#endif

namespace klue::bench {
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
double seconds_of(const Run& run) {
  const auto begin = Clock::now();
  run();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Arguments {
  std::size_t rows = 1'000'000, queries = 1000, columns = 256, k = 10;
};

void add_options(CLI::App& app, Arguments& a) {
  constexpr int kMost = 1 << 30;
  tools::add_count(app, "--rows", a.rows, 1, kMost, "Vectors that are searched; default: 1000000");
  tools::add_count(app, "--queries", a.queries, 1, kMost, "Default: 1000");
  tools::add_count(app, "--columns", a.columns, 1, kMost, "Numbers of a vector; default: 256");
  tools::add_count(app, "--top", a.k, 1, kMost, "Vectors found for each query; default: 10");
}

void run(const Arguments& arguments) {
  const std::size_t rows = arguments.rows, queries = arguments.queries;
  const std::size_t columns = arguments.columns, k = arguments.k;
  const std::vector<float> base = directions(rows, columns, 1);
  const std::vector<float> asked = directions(queries, columns, 2);
  const double gflop = 2e-9 * static_cast<double>(rows) * static_cast<double>(queries) *
                       static_cast<double>(columns);
  std::printf("top %zu of %zu queries over %zu × %zu, one thread\n", k, queries, rows, columns);

  const auto search = [&](Similarity similarity) {
    return top_k({asked.data(), queries, columns}, {base.data(), rows, columns},
                 {.k = k, .similarity = similarity, .threads = 1});
  };
  std::vector<std::vector<Hit>> hits;
#if KLUE_WITH_FAISS
  omp_set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(columns));
  index.add(static_cast<faiss::Index::idx_t>(rows), base.data());
  std::vector<float> scores(queries * k);
  std::vector<faiss::Index::idx_t> labels(queries * k);
#endif
  // In turns: what else the machine does hits all of them.
  std::vector<double> peaks, dots, cosines, flats;
  for (int round = 0; round < 5; ++round) {
    peaks.push_back(peak_f32());
    dots.push_back(seconds_of([&] { hits = search(Similarity::dot); }));
    cosines.push_back(seconds_of([&] { search(Similarity::cosine); }));
#if KLUE_WITH_FAISS
    flats.push_back(seconds_of([&] {
      index.search(static_cast<faiss::Index::idx_t>(queries), asked.data(),
                   static_cast<faiss::Index::idx_t>(k), scores.data(), labels.data());
    }));
#endif
  }
  const double peak = median(peaks);
  std::printf("f32 peak     %.1f GFLOP/s\n", peak);
  const auto print = [&](const char* name, const std::vector<double>& seconds) {
    if (seconds.empty()) return;
    const double rate = gflop / median(seconds);
    std::printf("%-12s %7.2f s  %6.1f GFLOP/s  %5.1f %% of the peak\n", name, median(seconds), rate,
                100 * rate / peak);
  };
  print("klue dot", dots);
  print("klue cosine", cosines);
  print("FAISS flat", flats);
#if KLUE_WITH_FAISS
  std::size_t same = 0;
  for (std::size_t q = 0; q < queries; ++q)
    for (std::size_t i = 0; i < k; ++i)
      same +=
          std::ranges::count(hits[q], static_cast<std::size_t>(labels[q * k + i]), &Hit::index) != 0
              ? 1
              : 0;
  std::printf("hits that both found: %zu of %zu\n", same, queries * k);
#endif
}

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  klue::bench::Arguments arguments;
  CLI::App app{"Exact search beside FAISS's flat index, in turns, on one thread.",
               "search_benchmark"};
  klue::bench::add_options(app, arguments);
  return klue::bench::run_command(app, argc, argv, [&] { klue::bench::run(arguments); });
}
