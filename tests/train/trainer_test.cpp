#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <klue/checkpoint/safetensors_writer.hpp>
#include <klue/core/error.hpp>
#include <klue/train/model_directory.hpp>
#include <klue/train/trainer.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "train/golden.hpp"

namespace klue::train {
namespace {

NetworkConfig tiny_config(std::size_t labels = 3) {
  return {read_encoder_config(test::training_model("seqcls") / "config.json"), Head::sequence,
          labels};
}

Trainer tiny_trainer(const TrainerOptions& options = {}, std::size_t threads = 1) {
  return {Network<float>(tiny_config(), open_checkpoint(test::training_model("seqcls")), 1,
                         std::make_shared<ThreadPool>(threads)),
          Objective::cross_entropy, options};
}

std::vector<Example> examples(std::size_t count) {
  std::vector<Example> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t t = 0; t < 3 + i % 5; ++t)
      all[i].ids.push_back(static_cast<std::int32_t>(5 + (i * 7 + t * 13) % 300));
    all[i].label = static_cast<std::int32_t>(i % 3);
  }
  return all;
}

std::vector<const Example*> pointers(const std::vector<Example>& all) {
  std::vector<const Example*> result;
  for (const Example& example : all)
    result.push_back(&example);
  return result;
}

std::vector<float> parameters_of(Trainer& trainer) {
  std::vector<float> all;
  Parameters<float>& parameters = trainer.network().parameters();
  for (const Parameter& p : parameters.entries())
    all.insert(all.end(), parameters.values(p), parameters.values(p) + p.size);
  return all;
}

TEST(Trainer, GoesOnFromAStateToTheSameBits) {
  const test::ScratchDirectory directory;
  const auto data = examples(12);
  const auto batch = pointers(data);
  const TrainerOptions options{.schedule = {.learning_rate = 1e-3, .warmup_steps = 2, .steps = 8}};
  Trainer whole = tiny_trainer(options), first = tiny_trainer(options),
          second = tiny_trainer(options);
  for (int i = 0; i < 6; ++i)
    whole.step(batch);
  for (int i = 0; i < 3; ++i)
    first.step(batch);
  first.save_state(directory.path() / "state.safetensors", "{\"a\": 1}");
  EXPECT_EQ(second.load_state(directory.path() / "state.safetensors"), "{\"a\": 1}");
  EXPECT_EQ(second.steps(), 3u);
  for (int i = 0; i < 3; ++i)
    second.step(batch);
  EXPECT_EQ(parameters_of(second), parameters_of(whole));
}

TEST(Trainer, LearnsWhatItIsShown) {
  const auto data = examples(12);
  const auto batch = pointers(data);
  Trainer trainer = tiny_trainer({.schedule = {.learning_rate = 3e-3, .steps = 60},
                                  .hidden_dropout = 0,
                                  .attention_dropout = 0,
                                  .head_dropout = 0});
  const double before = trainer.step(batch).loss;
  double after = before;
  for (int i = 0; i < 59; ++i)
    after = trainer.step(batch).loss;
  EXPECT_LT(after, before / 10);
}

TEST(Trainer, PartsOfAStepAreTheStep) {
  const auto data = examples(8);
  const auto batch = pointers(data);
  Trainer whole = tiny_trainer(), parts = tiny_trainer({.accumulate = 3});
  const StepReport one = whole.step(batch), three = parts.step(batch);
  EXPECT_NEAR(one.loss, three.loss, 1e-6);
  EXPECT_NEAR(one.gradient_norm, three.gradient_norm, 1e-4 * one.gradient_norm);
  EXPECT_EQ(one.tokens, three.tokens);
}

TEST(Trainer, RefusesAStateOfAnotherNetwork) {
  const test::ScratchDirectory directory;
  Trainer trainer = tiny_trainer();
  EXPECT_THROW(trainer.load_state(test::training_model("seqcls") / "model.safetensors"),
               FormatError);
  trainer.save_parameters(directory.path() / "p.safetensors");
  EXPECT_THROW(trainer.load_state(directory.path() / "p.safetensors"), FormatError);
  EXPECT_THROW(trainer.load_state(directory.path() / "missing"), IoError);
}

TEST(Trainer, EpochsAreDifferentPermutations) {
  const auto first = epoch_order(1, 0, 1000), again = epoch_order(1, 0, 1000);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, epoch_order(1, 1, 1000));
  EXPECT_NE(first, epoch_order(2, 0, 1000));
  EXPECT_EQ(std::set<std::size_t>(first.begin(), first.end()).size(), 1000u);
  EXPECT_EQ(*std::max_element(first.begin(), first.end()), 999u);
}

TEST(Trainer, MasksAsBertDoes) {
  Example example;
  example.ids = {0};
  for (int i = 0; i < 1000; ++i)
    example.ids.push_back(100 + i);
  example.ids.push_back(2);
  const std::vector<std::int32_t> special{0, 1, 2, 3};
  const Masking masking{.mask_id = 4, .vocabulary = 1200};
  std::size_t chosen = 0, masks = 0, kept = 0;
  for (std::uint64_t key = 0; key < 20; ++key) {
    const Example result = masked(example, masking, special, key);
    ASSERT_EQ(result.classes.size(), example.ids.size());
    EXPECT_EQ(result.classes.front(), kIgnored);
    EXPECT_EQ(result.classes.back(), kIgnored);
    for (std::size_t i = 0; i < result.ids.size(); ++i) {
      if (result.classes[i] == kIgnored) {
        EXPECT_EQ(result.ids[i], example.ids[i]);
        continue;
      }
      EXPECT_EQ(result.classes[i], example.ids[i]);
      ++chosen;
      masks += result.ids[i] == 4;
      kept += result.ids[i] == example.ids[i];
    }
  }
  EXPECT_EQ(chosen, 20u * 150u);
  EXPECT_NEAR(static_cast<double>(masks) / 3000, 0.8, 0.03);
  EXPECT_NEAR(static_cast<double>(kept) / 3000, 0.1, 0.02);
  example.ids = {0, 7, 2};
  EXPECT_EQ(masked(example, masking, special, 1).classes[1], 7);
  example.ids = {0, 2};
  EXPECT_EQ(masked(example, masking, special, 1).classes,
            (std::vector<std::int32_t>{kIgnored, kIgnored}));
}

TEST(ModelDirectory, IsWholeOrNotThere) {
  const test::ScratchDirectory directory;
  Trainer trainer = tiny_trainer();
  ModelDirectory what{.source = test::training_model("seqcls"), .label_names = {"a", "b", "c"}};
  write_model_directory(directory.path() / "out", what, trainer.network());
  const nlohmann::json config =
      nlohmann::json::parse(test::read_bytes(directory.path() / "out" / "config.json"));
  EXPECT_EQ(config["id2label"]["1"], "b");
  EXPECT_EQ(config["label2id"]["c"], 2);
  const Checkpoint before = open_checkpoint(what.source),
                   after = open_checkpoint(directory.path() / "out");
  for (const auto& [name, view] : after.tensors()) {
    const TensorView* old = before.find(name);
    ASSERT_NE(old, nullptr) << name;
    EXPECT_TRUE(std::ranges::equal(old->bytes, view.bytes)) << name;
  }
  what.dtype = DType::bf16;
  write_model_directory(directory.path() / "half", what, trainer.network());
  const Checkpoint half = open_checkpoint(directory.path() / "half");
  std::vector<float> whole_row(32), half_row(32);
  before.find("roberta.embeddings.word_embeddings.weight")->read(320, whole_row);
  half.find("roberta.embeddings.word_embeddings.weight")->read(320, half_row);
  for (std::size_t i = 0; i < 32; ++i)
    EXPECT_NEAR(half_row[i], whole_row[i], std::abs(whole_row[i]) / 256);
  what.dtype = DType::i64;
  EXPECT_THROW(write_model_directory(directory.path() / "third", what, trainer.network()),
               UnsupportedError);
  what.dtype = DType::f32;
  what.source = directory.path() / "nothing";
  EXPECT_THROW(write_model_directory(directory.path() / "second", what, trainer.network()),
               IoError);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "second"));
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "second.part"));
}

TEST(Schedule, IsThatOfTransformers) {
  const Schedule linear{.learning_rate = 1, .warmup_steps = 4, .steps = 12};
  EXPECT_EQ(linear.at(0), 0.0);
  EXPECT_EQ(linear.at(2), 0.5);
  EXPECT_EQ(linear.at(4), 1.0);
  EXPECT_EQ(linear.at(8), 0.5);
  EXPECT_EQ(linear.at(12), 0.0);
  EXPECT_EQ(linear.at(20), 0.0);
  const Schedule cosine{.learning_rate = 1, .warmup_steps = 0, .steps = 4, .decay = Decay::cosine};
  EXPECT_EQ(cosine.at(0), 1.0);
  EXPECT_NEAR(cosine.at(2), 0.5, 1e-15);
  EXPECT_NEAR(cosine.at(4), 0.0, 1e-15);
  const Schedule constant{
      .learning_rate = 2, .warmup_steps = 2, .steps = 4, .decay = Decay::constant};
  EXPECT_EQ(constant.at(1), 1.0);
  EXPECT_EQ(constant.at(100), 2.0);
}

}  // namespace
}  // namespace klue::train
