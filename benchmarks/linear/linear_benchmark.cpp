// The base model's linear layers by every engine, in every precision that it has. Eigen, of which
// the library has but the baseline of the architecture, is faster in a build with -march=native.
// `peak` is the share of the multiply-add rate that this core reached in a loop that waits for
// nothing, measured in the same run.

#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/precision.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/linear.hpp>
#include <klue/linear/engine.hpp>

#include "../peak.hpp"

namespace klue::bench {
using namespace detail;
namespace {

double peak(Precision precision) {
  static const double rates[] = {peak_f32(), peak_bf16(), peak_int8()};
  return rates[static_cast<std::size_t>(precision)];
}

std::vector<float> random_values(std::size_t count) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& x : values)
    x = normal(generator);
  return values;
}

void report(benchmark::State& state, Precision precision, double operations) {
  state.counters["GOP/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  if (peak(precision) > 0)
    state.counters["peak"] = benchmark::Counter(operations * 1e-9 / peak(precision),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

struct Shape {
  std::size_t rows, in, out;
  explicit Shape(const benchmark::State& state)
      : rows(static_cast<std::size_t>(state.range(0))),
        in(static_cast<std::size_t>(state.range(1))),
        out(static_cast<std::size_t>(state.range(2))) {}
  double operations() const { return 2.0 * static_cast<double>(rows * in * out); }
};

void layer(benchmark::State& state, Engine engine, Precision precision) {
  const Shape shape(state);
  const ThreadPool pool(1);
  const std::vector<float> weights = random_values(shape.in * shape.out);
  LinearSource source{.in_features = shape.in, .out_features = shape.out};
  source.read_rows = [&](std::size_t first, std::span<float> rows) {
    std::copy_n(&weights[first * shape.in], rows.size(), rows.data());
  };
  const auto linear = make_linear(engine, precision, source, pool);
  const std::size_t x_stride = linear->input_stride(), y_stride = spread_stride(shape.out);
  const std::vector<float> x = random_values(shape.rows * x_stride);
  std::vector<float> y(shape.rows * y_stride);
  Scratch scratch;
  for (auto _ : state) {
    linear->apply({x.data(), shape.rows, x_stride}, {y.data(), shape.rows, y_stride}, {}, scratch,
                  pool);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  report(state, precision, shape.operations());
}

void base_shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "in", "out"});
  for (const int rows : {1, 2, 8, 16, 32, 128, 256})
    for (const auto& [in, out] : {std::pair{768, 768}, {768, 3072}, {3072, 768}})
      b->Args({rows, in, out});
}

void register_all() {
  for (const Engine engine : available_engines())
    for (const Precision precision : kPrecisions) {
      if (engine == Engine::eigen && precision != Precision::f32) continue;
      if (engine == Engine::onednn && !kernels::product(precision).plain_groups) continue;
      const std::string name =
          std::string(engine_name(engine)) + "/" + std::string(precision_name(precision));
      base_shapes(benchmark::RegisterBenchmark(name.c_str(), layer, engine, precision));
    }
}

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  klue::bench::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
