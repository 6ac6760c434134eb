// Every engine against a double loop, and against each other.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/core/precision.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/linear.hpp>
#include <klue/linear/detail/onednn_linear.hpp>
#include <klue/linear/engine.hpp>

namespace klue::detail {
namespace {

using Values = std::vector<float>;

Values random_values(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Values values(count);
  for (float& x : values)
    x = normal(generator);
  return values;
}

struct Layer {
  std::size_t in, out;
  Values weights = random_values(in * out, 1), bias = random_values(out, 2);

  LinearSource source(bool with_bias) const {
    LinearSource s{.in_features = in, .out_features = out};
    s.read_rows = [this](std::size_t first, std::span<float> rows) {
      std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(first * in), rows.size(),
                  rows.begin());
    };
    if (with_bias)
      s.read_bias = [this](std::span<float> values) { std::ranges::copy(bias, values.begin()); };
    return s;
  }
};

Values apply(const Linear& layer, const Values& x, const Epilogue& epilogue,
             const ThreadPool& pool) {
  const std::size_t rows = x.size() / layer.in_features();
  Values y(rows * layer.out_features());
  Scratch scratch;
  layer.apply({x.data(), rows, layer.in_features()}, {y.data(), rows, layer.out_features()},
              epilogue, scratch, pool);
  return y;
}

using Case = std::tuple<Engine, Precision>;

class Engines : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (engine() == Engine::eigen && precision() != Precision::f32)
      GTEST_SKIP() << "the engine eigen multiplies in f32 alone";
    if (engine() == Engine::onednn && !kernels::product(precision()).plain_groups)
      GTEST_SKIP() << "the engine onednn has no such product on this processor";
  }
  Engine engine() const { return std::get<0>(GetParam()); }
  Precision precision() const { return std::get<1>(GetParam()); }

  // Several times the usual error of a sum of `in` products of standard normal numbers.
  double tolerance(std::size_t in) const {
    const double size = std::sqrt(static_cast<double>(in));
    switch (precision()) {
      case Precision::f32:
        return 1e-5 * size;
      case Precision::bf16:
        return 0.03 * size;
      case Precision::int8:
      case Precision::automatic:
        break;
    }
    return 0.08 * size;
  }
};

INSTANTIATE_TEST_SUITE_P(, Engines,
                         testing::Combine(testing::ValuesIn(available_engines()),
                                          testing::Values(Precision::f32, Precision::bf16,
                                                          Precision::int8)),
                         [](const auto& test) {
                           return std::string(engine_name(std::get<0>(test.param))) + "_" +
                                  std::string(precision_name(std::get<1>(test.param)));
                         });

// Sizes around the blocks of the engines: 14 rows, 64 rows, 32 features, 256 features.
TEST_P(Engines, AgreeWithTheDefinition) {
  const ThreadPool pool(3);
  for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{1, 1},
                                {3, 33},
                                {32, 96},
                                {256, 256},
                                {768, 300},
                                {1024, 768}}) {
    const Layer layer{in, out};
    const auto linear = make_linear(engine(), precision(), layer.source(true), pool);
    for (const std::size_t rows : {1u, 13u, 64u, 65u, 150u}) {
      SCOPED_TRACE(testing::Message() << rows << " × " << in << " × " << out);
      const Values x = random_values(rows * in, 3), residual = random_values(rows * out, 4);
      const Values y =
          apply(*linear, x,
                {.activation = Activation::relu, .residual = {residual.data(), rows, out}}, pool);
      double largest = 0;
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t n = 0; n < out; ++n) {
          double sum = static_cast<double>(layer.bias[n]);
          for (std::size_t k = 0; k < in; ++k)
            sum +=
                static_cast<double>(x[r * in + k]) * static_cast<double>(layer.weights[n * in + k]);
          const double exact = std::max(sum, 0.0) + static_cast<double>(residual[r * out + n]);
          largest = std::max(largest, std::abs(exact - static_cast<double>(y[r * out + n])));
        }
      EXPECT_LE(largest, tolerance(in));
    }
  }
}

TEST_P(Engines, GiveARowTheSameAloneAndAmongOthers) {
  const ThreadPool alone_pool(1), pool(4);
  const Layer layer{768, 300};
  const auto linear = make_linear(engine(), precision(), layer.source(false), pool);
  const Values x = random_values(150 * 768, 5);
  const Values together = apply(*linear, x, {.activation = Activation::gelu}, pool);
  for (const std::size_t row : {0u, 63u, 64u, 149u}) {
    const Values one(x.begin() + static_cast<std::ptrdiff_t>(row * 768),
                     x.begin() + static_cast<std::ptrdiff_t>((row + 1) * 768));
    const Values alone = apply(*linear, one, {.activation = Activation::gelu}, alone_pool);
    for (std::size_t n = 0; n < 300; ++n) {
      const float among = together[row * 300 + n];
      if (engine() == Engine::packed)
        ASSERT_EQ(alone[n], among) << row << ", " << n;
      else if (engine() == Engine::eigen)  // another order of sums for one row
        ASSERT_NEAR(alone[n], among, 4e-6f * std::sqrt(768.0f)) << row << ", " << n;
      else  // a promise of ours, not of oneDNN's; 1.6e-5 was seen without AVX-512
        ASSERT_NEAR(alone[n], among, 2e-5f * std::max(1.0f, std::abs(among))) << row << ", " << n;
    }
  }
}

TEST_P(Engines, ServeManyThreadsAtOnce) {
  const ThreadPool pool(2);
  const Layer layer{256, 512};
  const auto linear = make_linear(engine(), precision(), layer.source(true), pool);
  const Values x = random_values(100 * 256, 6), wanted = apply(*linear, x, {}, pool);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller)
    callers.emplace_back([&] {
      for (int i = 0; i < 5; ++i)
        EXPECT_EQ(apply(*linear, x, {}, pool), wanted);
    });
  for (std::thread& caller : callers)
    caller.join();
}

TEST(EigenEngine, RefusesOtherPrecisionsByName) {
  const Layer layer{4, 4};
  for (const Precision precision : {Precision::bf16, Precision::int8})
    try {
      make_linear(Engine::eigen, precision, layer.source(false), ThreadPool(1));
      FAIL() << "no error";
    } catch (const UnsupportedError& error) {
      EXPECT_EQ(error.field(), "precision");
      EXPECT_EQ(error.expected(), "f32, or the engine packed");
      EXPECT_EQ(error.actual(), precision_name(precision));
    }
}

TEST(AutomaticPrecision, IsOneThatTheEngineHas) {
  const Precision packed = chosen_precision(Engine::packed, Precision::automatic);
  EXPECT_EQ(packed, kernels::active().automatic);
  EXPECT_EQ(chosen_precision(Engine::automatic, Precision::automatic), packed);
  EXPECT_EQ(chosen_precision(Engine::eigen, Precision::automatic), Precision::f32);
  for (const Precision precision : kPrecisions)
    EXPECT_EQ(chosen_precision(Engine::packed, precision), precision);
  for (const Engine engine : available_engines()) {
    const Precision chosen = chosen_precision(engine, Precision::automatic);
    EXPECT_NE(chosen, Precision::automatic);
    EXPECT_EQ(describe_engine(engine, Precision::automatic), describe_engine(engine, chosen));
    const Layer layer{32, 32};
    const ThreadPool pool(1);
    const auto automatic = make_linear(engine, Precision::automatic, layer.source(true), pool);
    const auto named = make_linear(engine, chosen, layer.source(true), pool);
    const Values x = random_values(5 * 32, 3);
    EXPECT_EQ(apply(*automatic, x, {}, pool), apply(*named, x, {}, pool));
  }
}

// What every level's table says, so that a new one is thought about.
TEST(AutomaticPrecision, IsWhatWasMeasured) {
  for (const kernels::Table* table : kernels::available()) {
    const std::string form = table->int8->form;
    if (table->isa == kernels::Isa::avx512 && form != "VNNI")
      EXPECT_NE(table->automatic, Precision::int8);
    else
      EXPECT_EQ(table->automatic,
                table->isa == kernels::Isa::baseline ? Precision::f32 : Precision::int8);
  }
}

TEST(EngineDescription, NamesWhatMultiplies) {
  const std::string isa = kernels::active().name;
  EXPECT_EQ(describe_engine(Engine::automatic, Precision::f32), "packed, " + isa + ", f32");
  const std::string form = kernels::product(Precision::bf16).form;
  EXPECT_EQ(describe_engine(Engine::packed, Precision::bf16),
            "packed, " + isa + ", bf16 by " + form);
  EXPECT_EQ(describe_engine(Engine::onednn, Precision::int8), "oneDNN, " + isa + ", int8");
  EXPECT_THAT(describe_engine(Engine::eigen, Precision::f32),
              testing::MatchesRegex("Eigen [35]\\.[0-9]+\\.[0-9]+( on BLAS)?, f32"));
}

TEST(Onednn, RefusesByNameWhatItCannotMultiplyHere) {
  if (!has_onednn()) GTEST_SKIP() << "this build has no oneDNN";
  const Layer layer{4, 4};
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    if (kernels::product(precision).plain_groups) continue;
    try {
      make_linear(Engine::onednn, precision, layer.source(false), ThreadPool(1));
      FAIL() << "no error";
    } catch (const UnsupportedError& error) {
      EXPECT_EQ(error.field(), "precision");
      EXPECT_EQ(error.expected(), "f32, or the engine packed");
      EXPECT_EQ(error.actual(), precision_name(precision));
    }
  }
}

TEST(Onednn, IsRefusedByNameWhereTheBuildLacksIt) {
  if (has_onednn()) GTEST_SKIP() << "this build has oneDNN";
  const Layer layer{4, 4};
  try {
    make_linear(Engine::onednn, Precision::f32, layer.source(false), ThreadPool(1));
    FAIL() << "no error";
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(error.field(), "engine");
    EXPECT_EQ(error.actual(), "onednn");
  }
}

}  // namespace
}  // namespace klue::detail
