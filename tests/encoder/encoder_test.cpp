#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/encoder/encoder.hpp>

namespace klue {
using namespace detail;
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Encoder load(const char* fixture, std::size_t threads = 1) {
  const fs::path directory = fs::path(KLUE_FIXTURE_DIR) / fixture;
  return Encoder(read_encoder_config(directory / "config.json"), open_checkpoint(directory),
                 std::make_shared<ThreadPool>(threads));
}

// Sentences of random ids, right-padded to the longest.
EncoderInputs make_inputs(const std::vector<std::size_t>& lengths, unsigned seed = 1) {
  EncoderInputs inputs;
  inputs.batch = lengths.size();
  inputs.seq_length = *std::max_element(lengths.begin(), lengths.end());
  std::mt19937 random(seed);
  for (const std::size_t length : lengths)
    for (std::size_t t = 0; t < inputs.seq_length; ++t) {
      inputs.input_word_ids.push_back(t < length ? 5 + static_cast<std::int32_t>(random() % 1000)
                                                 : 1);
      inputs.input_mask.push_back(t < length);
      inputs.input_type_ids.push_back(0);
    }
  return inputs;
}

EncoderInputs one_row(const EncoderInputs& inputs, std::size_t row, std::size_t length) {
  const auto part = [&](std::span<const std::int32_t> all) {
    return std::vector<std::int32_t>(all.begin(),
                                     all.begin() + static_cast<std::ptrdiff_t>(length));
  };
  return {1, length, part(inputs.word_ids(row)), part(inputs.mask(row)),
          part(inputs.type_ids(row))};
}

TEST(Encoder, ASentenceAloneAndInABatchIsTheSameBits) {
  const std::vector<std::size_t> lengths{3, 40, 1, 17, 130, 2};
  const EncoderInputs inputs = make_inputs(lengths);
  for (const std::size_t threads : {1u, 3u}) {
    const Encoder encoder = load("tiny-11", threads);
    const EncoderOutputs together = encoder(inputs);
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      const EncoderOutputs alone = encoder(one_row(inputs, b, lengths[b]));
      EXPECT_TRUE(std::ranges::equal(alone.sequence_output.values(),
                                     together.sequence_output.at(b).first(lengths[b] * 32)));
      EXPECT_TRUE(std::ranges::equal(alone.pooled_output->values(), together.pooled_output->at(b)));
    }
  }
}

TEST(Encoder, PaddedRowsAreZero) {
  const EncoderInputs inputs = make_inputs({2, 5});
  const EncoderOutputs outputs = load("tiny-11")(inputs, {.encoder_outputs = true});
  ASSERT_EQ(outputs.encoder_outputs.size(), 2u);
  EXPECT_EQ(outputs.sequence_output.shape(), (std::vector<std::size_t>{2, 5, 32}));
  for (const Tensor* tensor : {&outputs.sequence_output, &outputs.encoder_outputs[0]})
    for (std::size_t t = 0; t < 5; ++t) {
      const auto row = tensor->at(0, t);
      EXPECT_EQ(std::ranges::all_of(row, [](float x) { return x == 0.0f; }), t >= 2) << t;
    }
}

TEST(Encoder, TheLastLayerIsTheSequenceOutput) {
  const EncoderOutputs outputs = load("tiny-11")(make_inputs({4}), {.encoder_outputs = true});
  EXPECT_TRUE(std::ranges::equal(outputs.encoder_outputs.back().values(),
                                 outputs.sequence_output.values()));
}

TEST(Encoder, ComputesOnlyWhatIsAskedFor) {
  const Encoder encoder = load("tiny-11");
  const EncoderInputs inputs = make_inputs({4, 9});
  const EncoderOutputs all = encoder(inputs);
  const EncoderOutputs pooled = encoder(inputs, {.sequence_output = false});
  EXPECT_TRUE(pooled.sequence_output.empty());
  EXPECT_TRUE(std::ranges::equal(pooled.pooled_output->values(), all.pooled_output->values()));
  EXPECT_FALSE(encoder(inputs, {.pooled_output = false}).pooled_output.has_value());
  EXPECT_TRUE(encoder(inputs).encoder_outputs.empty());
}

TEST(Encoder, WithoutAPoolerPooledOutputIsAbsentAndRequiringItSaysWhatToDo) {
  const Encoder encoder = load("tiny-11-no-pooler");
  EXPECT_FALSE(encoder.has_pooler());
  EXPECT_FALSE(encoder(make_inputs({4})).pooled_output.has_value());
  try {
    encoder(make_inputs({4}), {.pooled_output = true});
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("mean or cls"));
    EXPECT_THAT(error.what(), HasSubstr("model.safetensors"));
  }
}

TEST(Encoder, PoolsAsDefined) {
  const Encoder encoder = load("tiny-11");
  const std::vector<std::size_t> lengths{3, 40, 1};
  const EncoderInputs inputs = make_inputs(lengths);
  const EncoderOutputs outputs = encoder(inputs);
  TokenBatchBuilder builder(encoder.config());
  for (std::size_t b = 0; b < 3; ++b)
    builder.append(inputs.word_ids(b), inputs.mask(b), inputs.type_ids(b));
  const auto pooled = [&](Pooling pooling) {
    Tensor result{3, 32};
    encoder.core().pool(builder.batch(), pooling,
                        [&](std::size_t s, std::span<const float> vector) {
                          std::ranges::copy(vector, result.at(s).begin());
                        });
    return result;
  };
  EXPECT_TRUE(
      std::ranges::equal(pooled(Pooling::pooler).values(), outputs.pooled_output->values()));
  const Tensor cls = pooled(Pooling::cls), mean = pooled(Pooling::mean), max = pooled(Pooling::max),
               mean_sqrt_len = pooled(Pooling::mean_sqrt_len);
  for (std::size_t b = 0; b < 3; ++b) {
    EXPECT_TRUE(std::ranges::equal(cls.at(b), outputs.sequence_output.at(b, 0)));
    for (std::size_t i = 0; i < 32; ++i) {
      double sum = 0, largest = -1e30;
      for (std::size_t t = 0; t < lengths[b]; ++t) {
        const double x = static_cast<double>(outputs.sequence_output.at(b, t)[i]);
        sum += x;
        largest = std::max(largest, x);
      }
      EXPECT_NEAR(static_cast<double>(mean.at(b, i)[0]), sum / static_cast<double>(lengths[b]),
                  1e-6);
      EXPECT_NEAR(static_cast<double>(mean_sqrt_len.at(b, i)[0]),
                  sum / std::sqrt(static_cast<double>(lengths[b])), 1e-5);
      EXPECT_EQ(static_cast<double>(max.at(b, i)[0]), largest);
    }
  }
}

TEST(Encoder, PutsSeveralPoolingsSideBySide) {
  const Encoder encoder = load("tiny-11");
  const EncoderInputs inputs = make_inputs({3, 40, 1});
  TokenBatchBuilder builder(encoder.config());
  for (std::size_t b = 0; b < 3; ++b)
    builder.append(inputs.word_ids(b), inputs.mask(b), inputs.type_ids(b));
  const auto pooled = [&](const std::vector<Pooling>& poolings) {
    std::vector<std::vector<float>> rows(3);
    encoder.core().pool(builder.batch(), poolings,
                        [&](std::size_t s, std::span<const float> vector) {
                          rows[s].assign(vector.begin(), vector.end());
                        });
    return rows;
  };
  for (const std::vector<Pooling>& poolings :
       {std::vector{Pooling::cls, Pooling::pooler},
        std::vector{Pooling::cls, Pooling::max, Pooling::mean, Pooling::mean_sqrt_len},
        std::vector{Pooling::mean, Pooling::pooler, Pooling::cls}}) {
    std::vector<std::vector<float>> expected(3);
    for (const Pooling pooling : poolings) {
      const auto alone = pooled({pooling});
      for (std::size_t b = 0; b < 3; ++b)
        expected[b].insert(expected[b].end(), alone[b].begin(), alone[b].end());
    }
    EXPECT_EQ(pooled(poolings), expected);
  }
}

TEST(Encoder, TakesAnEmptyBatch) {
  const EncoderOutputs outputs =
      load("tiny-11")(EncoderInputs{.seq_length = 8}, {.encoder_outputs = true});
  EXPECT_EQ(outputs.sequence_output.shape(), (std::vector<std::size_t>{0, 8, 32}));
  EXPECT_EQ(outputs.pooled_output->shape(), (std::vector<std::size_t>{0, 32}));
  EXPECT_EQ(outputs.encoder_outputs.size(), 2u);
}

TEST(Encoder, RefusesInputsOutsideItsTables) {
  const Encoder encoder = load("tiny-11");
  const EncoderInputs good = make_inputs({4});
  const auto expect_refused = [&](auto change, const char* field) {
    EncoderInputs inputs = good;
    change(inputs);
    try {
      encoder(inputs);
      FAIL() << "no error for " << field;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.field(), field);
    }
  };
  expect_refused([](auto& in) { in.input_word_ids[1] = 1200; }, "input_word_ids");
  expect_refused([](auto& in) { in.input_word_ids[1] = -1; }, "input_word_ids");
  expect_refused([](auto& in) { in.input_type_ids[3] = 1; }, "input_type_ids");
  expect_refused([](auto& in) { in.input_mask[3] = 2; }, "input_mask");
  expect_refused([](auto& in) { in.input_mask.assign(4, 0); }, "input_mask");
  expect_refused([](auto& in) { in.input_mask.pop_back(); }, "input_mask");
  expect_refused([](auto& in) { in.input_word_ids.push_back(5); }, "input_word_ids");
  expect_refused([](auto& in) { in.input_type_ids.clear(); }, "input_type_ids");
  expect_refused([](auto& in) { in.seq_length = ~std::size_t{0}, in.batch = 2; }, "input_word_ids");
}

TEST(Encoder, RefusesASequenceLongerThanItsPositions) {
  const Encoder encoder = load("tiny-11");
  EXPECT_EQ(encoder.config().max_sequence_length(), 512u);
  EXPECT_NO_THROW(encoder(make_inputs({512})));
  EXPECT_THROW(encoder(make_inputs({513})), UsageError);
  // Padding beyond the last position is no token.
  EncoderInputs padded = make_inputs({600});
  std::fill(padded.input_mask.begin() + 20, padded.input_mask.end(), 0);
  std::fill(padded.input_word_ids.begin() + 20, padded.input_word_ids.end(), 1);
  EXPECT_NO_THROW(encoder(padded));
}

TEST(Encoder, ServesManyThreadsAtOnce) {
  const Encoder encoder = load("tiny-11", 2);
  std::vector<EncoderInputs> inputs;
  std::vector<EncoderOutputs> expected;
  for (unsigned i = 0; i < 8; ++i) {
    inputs.push_back(make_inputs({i + 1, 30, 2 * i + 1}, i));
    expected.push_back(encoder(inputs.back()));
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 10; ++repeat)
        EXPECT_TRUE(std::ranges::equal(encoder(inputs[i]).sequence_output.values(),
                                       expected[i].sequence_output.values()));
    });
  for (std::thread& thread : threads)
    thread.join();
}

TEST(Encoder, RunsBertStyleCheckpoints) {
  const Encoder encoder = load("tiny-11-bert");
  EXPECT_EQ(encoder.config().positions, PositionScheme::index);
  EncoderInputs inputs = make_inputs({6});
  const Tensor first = encoder(inputs).sequence_output;
  inputs.input_type_ids = {0, 0, 0, 1, 1, 1};
  const Tensor second = encoder(inputs).sequence_output;
  EXPECT_FALSE(std::ranges::equal(first.values(), second.values()));
}

}  // namespace
}  // namespace klue
