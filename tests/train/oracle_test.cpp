// The backward pass against finite differences of the forward pass, in float64: slow and obvious.
// Also what must hold of any trainer whatever the numbers: threads, micro-batches, dropout.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/train/network.hpp>
#include <klue/train/optimizer.hpp>

#include "train/golden.hpp"

namespace klue::train {
namespace {

struct OracleCase {
  const char* name;
  const char* model;
  Head head;
  Objective objective;
  double spread = 0;
};

// Six sequences of different lengths (three pairs), with every kind of target.
test::TrainingCase oracle_case(const OracleCase& oracle) {
  test::TrainingCase c;
  c.model = test::training_model(oracle.model);
  c.config.encoder = read_encoder_config(c.model / "config.json");
  c.config.head = oracle.head;
  c.objective = oracle.objective;
  c.config.labels = oracle.head == Head::tokens ? 13 : 3;
  std::mt19937 random(7);
  for (const std::size_t length : {5u, 9u, 1u, 7u, 12u, 4u}) {
    std::vector<std::int32_t> ids(length), types(length);
    for (std::int32_t& id : ids)
      id = static_cast<std::int32_t>(5 + random() % 200);
    if (c.config.encoder.type_vocab_size > 1)
      for (std::size_t i = length / 2; i < length; ++i)
        types[i] = 1;
    c.batch.append(c.config.encoder, ids, types);
    c.batch.starts.push_back(random() % length);
    c.batch.ends.push_back(random() % length);
  }
  const std::size_t labels = oracle.head == Head::masked_lm ? 200 : c.config.labels;
  if (oracle.objective == Objective::cross_entropy)
    for (std::size_t s = 0; s < c.batch.sequences(); ++s)
      c.batch.classes.push_back(static_cast<std::int32_t>(random() % labels));
  if (oracle.objective == Objective::token_cross_entropy)
    for (std::size_t t = 0; t < c.batch.tokens(); ++t)
      c.batch.classes.push_back(t % 3 == 0 ? kIgnored
                                           : static_cast<std::int32_t>(random() % labels));
  const std::size_t values =
      oracle.head == Head::embedding ? c.batch.sequences() / 2 : c.batch.sequences() * labels;
  for (std::size_t i = 0; i < values; ++i)
    c.batch.values.push_back(static_cast<double>(random() % 100) / 100);
  return c;
}

class TrainOracle : public testing::TestWithParam<OracleCase> {};

TEST_P(TrainOracle, FiniteDifferencesAgree) {
  const test::TrainingCase c = oracle_case(GetParam());
  Network<double> network = test::network_of<double>(c);
  // Dropout on: the mask is a function of the pass, so the loss is still a smooth function.
  const Pass pass{.hidden_dropout = 0.1,
                  .attention_dropout = 0.2,
                  .head_dropout = 0.3,
                  .seed = 3,
                  .step = 5,
                  .spread = GetParam().spread};
  network.forward_backward(c.batch, c.objective, pass);
  Parameters<double>& parameters = network.parameters();
  std::mt19937 random(1);
  double norm = 0;
  std::vector<std::vector<double>> gradients;  // the passes below replace the network's
  for (const Parameter& p : parameters.entries()) {
    gradients.emplace_back(parameters.gradients(p), parameters.gradients(p) + p.size);
    norm += test::checksums(parameters.gradients(p), p.size)[2];
  }
  norm = std::sqrt(norm);
  for (std::size_t which = 0; which < gradients.size(); ++which) {
    const Parameter& p = parameters.entries()[which];
    const std::vector<double>& gradient = gradients[which];
    // Along one random direction of each parameter, and its steepest one.
    for (const bool steepest : {false, true}) {
      SCOPED_TRACE(p.name + (steepest ? ", steepest" : ""));
      std::vector<double> direction(p.size);
      double slope = 0, length = 0;
      for (std::size_t i = 0; i < p.size; ++i) {
        direction[i] = steepest ? gradient[i] : static_cast<double>(random() % 2001) / 1000 - 1;
        length += direction[i] * direction[i];
      }
      if (length == 0) continue;
      for (std::size_t i = 0; i < p.size; ++i) {
        direction[i] /= std::sqrt(length);
        slope += direction[i] * gradient[i];
      }
      double* const values = parameters.values(p);
      const std::vector<double> before(values, values + p.size);
      const auto loss_at = [&](double step) {
        for (std::size_t i = 0; i < p.size; ++i)
          values[i] = before[i] + step * direction[i];
        return network.forward_backward(c.batch, c.objective, pass);
      };
      // Central differences of fourth order: the error is of the order of h⁴.
      const double h = 1e-3;
      const double measured =
          (8 * (loss_at(h) - loss_at(-h)) - (loss_at(2 * h) - loss_at(-2 * h))) / (12 * h);
      std::copy(before.begin(), before.end(), values);
      EXPECT_NEAR(slope, measured, 1e-6 * std::max(norm, std::abs(slope)));
    }
  }
}

TEST_P(TrainOracle, AnyNumberOfThreadsGivesTheSameBits) {
  const test::TrainingCase c = oracle_case(GetParam());
  const Pass pass{.hidden_dropout = 0.1, .attention_dropout = 0.1, .head_dropout = 0.1, .seed = 3};
  std::vector<float> expected;
  for (const std::size_t threads : {1u, 2u, 5u}) {
    Network<float> network = test::network_of<float>(c, threads);
    AdamW<float> optimizer(network.parameters(), {});
    std::vector<float> all;
    for (int step = 0; step < 3; ++step) {
      all.push_back(static_cast<float>(network.forward_backward(c.batch, c.objective, pass)));
      const double norm = optimizer.gradient_norm(network.parameters(), network.pool());
      optimizer.step(network.parameters(), 1e-3, norm, network.pool());
    }
    for (const Parameter& p : network.parameters().entries())
      all.insert(all.end(), network.parameters().values(p),
                 network.parameters().values(p) + p.size);
    if (expected.empty()) expected = all;
    EXPECT_EQ(all, expected) << threads << " threads";
  }
}

TEST_P(TrainOracle, RecomputedLayersGiveTheSameBits) {
  const test::TrainingCase c = oracle_case(GetParam());
  std::vector<float> expected;
  for (const bool recompute : {false, true}) {
    Network<float> network = test::network_of<float>(c);
    network.forward_backward(c.batch, c.objective,
                             {.hidden_dropout = 0.1,
                              .attention_dropout = 0.1,
                              .head_dropout = 0.1,
                              .recompute_layers = recompute});
    std::vector<float> all;
    for (const Parameter& p : network.parameters().entries())
      all.insert(all.end(), network.parameters().gradients(p),
                 network.parameters().gradients(p) + p.size);
    if (expected.empty()) expected = all;
    EXPECT_EQ(all, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Heads, TrainOracle,
    testing::Values(
        OracleCase{"classes", "seqcls", Head::sequence, Objective::cross_entropy},
        OracleCase{"several_labels", "seqcls", Head::sequence, Objective::binary_cross_entropy},
        OracleCase{"regression", "seqcls", Head::sequence, Objective::squared_error},
        OracleCase{"tokens", "tokcls", Head::tokens, Objective::token_cross_entropy},
        OracleCase{"masked_lm", "mlm", Head::masked_lm, Objective::token_cross_entropy},
        OracleCase{"span", "qa", Head::span, Objective::span_cross_entropy},
        OracleCase{"cosines", "none", Head::embedding, Objective::cosine_squared_error},
        OracleCase{"cosent", "none", Head::embedding, Objective::cosent},
        OracleCase{"negatives", "none", Head::embedding, Objective::in_batch_negatives},
        OracleCase{"cosines_spread", "none", Head::embedding, Objective::cosine_squared_error, 0.7},
        OracleCase{"cosent_spread", "none", Head::embedding, Objective::cosent, 0.7},
        OracleCase{"bert_classes", "bert", Head::sequence, Objective::cross_entropy},
        OracleCase{"bert_masked_lm", "bert", Head::masked_lm, Objective::token_cross_entropy}),
    [](const auto& which) { return std::string(which.param.name); });

const OracleCase kClasses{"classes", "seqcls", Head::sequence, Objective::cross_entropy};

// One half of a batch, whose sequences keep their numbers.
Batch part_of(const test::TrainingCase& c, std::size_t first, std::size_t end) {
  Batch part;
  for (std::size_t s = first; s < end; ++s) {
    const auto from = c.batch.word_ids.begin();
    const std::vector<std::int32_t> ids(
        from + static_cast<std::ptrdiff_t>(c.batch.first_token[s]),
        from + static_cast<std::ptrdiff_t>(c.batch.first_token[s + 1]));
    part.append(c.config.encoder, ids);
    part.classes.push_back(c.batch.classes[s]);
    part.streams.push_back(s);
  }
  return part;
}

TEST(TrainNetwork, MicroBatchesAddUpToTheBatchWithItsDropout) {
  const test::TrainingCase c = oracle_case(kClasses);
  Network<double> whole = test::network_of<double>(c), parts = test::network_of<double>(c);
  Pass pass{.hidden_dropout = 0.1, .attention_dropout = 0.1, .head_dropout = 0.1, .seed = 9};
  const double loss = whole.forward_backward(c.batch, c.objective, pass);
  pass.denominator = 6;
  double sum = parts.forward_backward(part_of(c, 0, 2), c.objective, pass);
  pass.add_gradients = true;
  sum += parts.forward_backward(part_of(c, 2, 6), c.objective, pass);
  EXPECT_NEAR(sum, loss, 1e-14);
  for (const Parameter& p : whole.parameters().entries())
    for (std::size_t i = 0; i < p.size; ++i)
      ASSERT_NEAR(parts.parameters().gradients(p)[i], whole.parameters().gradients(p)[i], 1e-13)
          << p.name;
}

// Against the definition: the mean of cos(aᵢ, bⱼ)² over i ≠ j, times `spread`.
TEST(TrainNetwork, SpreadIsTheMeanSquaredCosineOfWhatIsNoPair) {
  const test::TrainingCase c =
      oracle_case({"cosines", "none", Head::embedding, Objective::cosine_squared_error});
  Network<double> network = test::network_of<double>(c);
  const Scores<double> vectors = network.predict(c.batch);
  const auto cosine = [&](std::size_t a, std::size_t b) {
    double product = 0, first = 0, second = 0;
    for (std::size_t i = 0; i < vectors.columns; ++i) {
      const double x = vectors.values[a * vectors.columns + i];
      const double y = vectors.values[b * vectors.columns + i];
      product += x * y, first += x * x, second += y * y;
    }
    return product / std::sqrt(first * second);
  };
  double squares = 0;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      if (i != j) squares += cosine(2 * i, 2 * j + 1) * cosine(2 * i, 2 * j + 1);
  for (const Objective objective :
       {Objective::cosine_squared_error, Objective::cosent, Objective::in_batch_negatives}) {
    const double without = network.forward_backward(c.batch, objective);
    EXPECT_NEAR(network.forward_backward(c.batch, objective, {.spread = 3}),
                without + 3 * squares / 6, 1e-12);
  }
}

TEST(TrainNetwork, ARateOfItsOwnIsATimesAsLargeStep) {
  const test::TrainingCase c = oracle_case(kClasses);
  Network<float> network = test::network_of<float>(c), plain = test::network_of<float>(c);
  const Network<float> before = test::network_of<float>(c);
  const auto step = [&](Network<float>& what, double rate) {
    what.forward_backward(c.batch, c.objective);
    AdamW<float> optimizer(what.parameters(), {.weight_decay = 0.5});
    optimizer.step(what.parameters(), rate, optimizer.gradient_norm(what.parameters(), what.pool()),
                   what.pool());
  };
  for (Parameter& p : network.parameters().entries())
    if (p.depth == 1) p.rate = 4;
  step(network, 0.25);
  step(plain, 1);
  Network<float> slow = test::network_of<float>(c);
  step(slow, 0.25);
  // Powers of two, so the products are exact.
  for (const Parameter& p : network.parameters().entries()) {
    const float* const expected = (p.depth == 1 ? plain : slow).parameters().values(p);
    bool moved = false;
    for (std::size_t i = 0; i < p.size; ++i) {
      ASSERT_EQ(network.parameters().values(p)[i], expected[i]) << p.name;
      moved = moved || expected[i] != before.parameters().values(p)[i];
    }
    EXPECT_TRUE(moved) << p.name;
  }
}

TEST(TrainNetwork, GradientsOfAStepDoNotLeakIntoTheNext) {
  const test::TrainingCase c = oracle_case(kClasses);
  Network<float> fresh = test::network_of<float>(c), used = test::network_of<float>(c);
  used.forward_backward(part_of(c, 0, 3), c.objective);
  used.forward_backward(part_of(c, 3, 6), c.objective);
  fresh.forward_backward(part_of(c, 3, 6), c.objective);
  for (const Parameter& p : fresh.parameters().entries())
    for (std::size_t i = 0; i < p.size; ++i)
      ASSERT_EQ(fresh.parameters().gradients(p)[i], used.parameters().gradients(p)[i]) << p.name;
}

TEST(TrainNetwork, DropoutDependsOnSeedStepAndStream) {
  const test::TrainingCase c = oracle_case(kClasses);
  Network<double> network = test::network_of<double>(c);
  const auto loss = [&](std::uint64_t seed, std::uint64_t step, std::uint64_t stream) {
    Batch batch = part_of(c, 1, 2);
    batch.streams = {stream};
    return network.forward_backward(batch, c.objective,
                                    {.hidden_dropout = 0.1, .seed = seed, .step = step});
  };
  const double one = loss(1, 1, 1);
  EXPECT_EQ(loss(1, 1, 1), one);
  EXPECT_NE(loss(2, 1, 1), one);
  EXPECT_NE(loss(1, 2, 1), one);
  EXPECT_NE(loss(1, 1, 2), one);
}

TEST(TrainNetwork, FrozenParametersGetNoStep) {
  const test::TrainingCase c = oracle_case(kClasses);
  Network<float> network = test::network_of<float>(c);
  for (Parameter& p : network.parameters().entries())
    p.trained = p.depth >= 2;
  Network<float> all = test::network_of<float>(c);
  network.forward_backward(c.batch, c.objective);
  all.forward_backward(c.batch, c.objective);
  AdamW<float> optimizer(network.parameters(), {.weight_decay = 0.5});
  const double norm = optimizer.gradient_norm(network.parameters(), network.pool());
  EXPECT_LT(norm, AdamW<float>(all.parameters(), {}).gradient_norm(all.parameters(), all.pool()));
  optimizer.step(network.parameters(), 1e-2, norm, network.pool());
  for (const Parameter& p : network.parameters().entries()) {
    bool same = true, same_gradient = true;
    for (std::size_t i = 0; i < p.size; ++i) {
      same = same && network.parameters().values(p)[i] == all.parameters().values(p)[i];
      same_gradient =
          same_gradient && network.parameters().gradients(p)[i] == all.parameters().gradients(p)[i];
    }
    EXPECT_EQ(same, !p.trained) << p.name;
    EXPECT_TRUE(same_gradient || !p.trained) << p.name;
  }
}

TEST(TrainNetwork, RefusesKeysThatNoSequenceHas) {
  const test::TrainingCase c = oracle_case(kClasses);
  Network<float> network(c.config, open_checkpoint(c.model), 1, std::make_shared<ThreadPool>(1));
  Batch batch = c.batch;
  const auto run = [&](std::vector<std::size_t> keys) {
    batch.keys = std::move(keys);
    network.forward_backward(batch, c.objective);
  };
  std::vector<std::size_t> every;
  for (std::size_t s = 0; s < batch.sequences(); ++s)
    every.push_back(batch.length(s));
  EXPECT_NO_THROW(run(every));
  EXPECT_THROW(run({1}), UsageError);
  for (const std::size_t wrong : {std::size_t{0}, every.back() + 1}) {
    std::vector<std::size_t> keys = every;
    keys.back() = wrong;
    EXPECT_THROW(run(keys), UsageError) << wrong;
  }
}

TEST(TrainNetwork, Bf16IsCloseToFloat32) {
  const test::TrainingCase c = oracle_case(kClasses);
  const auto network_in = [&](Precision precision) {
    return Network<float>(c.config, open_checkpoint(c.model), 1, std::make_shared<ThreadPool>(1),
                          precision);
  };
  if (kernels::product(Precision::bf16).pack_columns == nullptr) {
    EXPECT_THROW(network_in(Precision::bf16), UnsupportedError);
    GTEST_SKIP() << "this processor has no bf16 product";
  }
  Network<float> exact = network_in(Precision::f32), rounded = network_in(Precision::bf16);
  EXPECT_NEAR(rounded.forward_backward(c.batch, c.objective),
              exact.forward_backward(c.batch, c.objective), 0.02);
  double error = 0, norm = 0;
  for (const Parameter& p : exact.parameters().entries())
    for (std::size_t i = 0; i < p.size; ++i) {
      const double a = static_cast<double>(exact.parameters().gradients(p)[i]);
      const double b = static_cast<double>(rounded.parameters().gradients(p)[i]);
      error += (a - b) * (a - b);
      norm += a * a;
    }
  EXPECT_LT(std::sqrt(error / norm), 0.03);
  EXPECT_GT(error, 0);
}

TEST(TrainNetwork, RefusesWhatCannotBe) {
  test::TrainingCase c = oracle_case(kClasses);
  Network<float> network = test::network_of<float>(c);
  Batch wrong = c.batch;
  wrong.classes[2] = 3;
  EXPECT_THROW(network.forward_backward(wrong, c.objective), UsageError);
  wrong.classes.pop_back();
  EXPECT_THROW(network.forward_backward(wrong, c.objective), UsageError);
  EXPECT_THROW(network.forward_backward(c.batch, Objective::span_cross_entropy), UsageError);
  EXPECT_THROW(network.forward_backward({}, c.objective), UsageError);
  EXPECT_THROW(network.forward_backward(c.batch, c.objective, {.spread = 1}), UsageError);
  Batch batch;
  EXPECT_THROW(batch.append(c.config.encoder, {}), UsageError);
  EXPECT_THROW(batch.append(c.config.encoder, std::vector<std::int32_t>{-1}), UsageError);
  EXPECT_THROW(batch.append(c.config.encoder, std::vector<std::int32_t>(513, 7)), UsageError);
  c.config.labels = 4;
  EXPECT_THROW(test::network_of<float>(c), FormatError);
}

}  // namespace
}  // namespace klue::train
