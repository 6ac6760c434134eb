#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <klue/train.hpp>

#include "dataset.hpp"

namespace finetune {

/// How a training goes, apart from what it is of.
struct TrainingOptions {
  std::filesystem::path out;
  std::optional<std::filesystem::path> log{};
  std::vector<std::vector<std::size_t>> order{};  ///< batches of examples; empty: drawn by seed
  std::size_t epochs = 3, batch = 32;
  std::optional<std::size_t> steps{};  ///< instead of epochs
  std::optional<std::size_t> warmup_steps{};
  double warmup = 0.1;  ///< of all steps
  double learning_rate = 5e-5, weight_decay = 0.01, clip = 1, layer_decay = 1;
  double spread = 0;  ///< of embed: how much texts that are no pair count
  /// Of the parameters whose names contain the first: their rate is the second times the others';
  /// the last that fits counts, and 0 leaves them as they are.
  std::vector<std::pair<std::string, double>> rates{};
  klue::train::Decay schedule = klue::train::Decay::linear;
  double hidden_dropout = 0.1, attention_dropout = 0.1, head_dropout = 0.1;
  std::uint64_t seed = 1;
  std::size_t accumulate = 1, freeze_layers = 0, patience = 0, save_steps = 500;
  bool freeze_embeddings = false, recompute = false;
  bool resume = false, overwrite = false, quiet = false;
  /// What decides the result besides: a state of another fingerprint is not gone on with.
  std::string fingerprint{};
};

/// What stands around the network.
struct TrainingParts {
  Plan plan;
  Dataset train;
  std::optional<Dataset> dev;
  klue::train::ModelDirectory directory;
  klue::train::Masking masking{};
  std::vector<std::int32_t> special{};
};

/// Whether there is something to do: false where `out` is the finished result of an earlier run
/// that is resumed. Throws UsageError where `out`, or the state of an earlier run, is in the way.
bool prepare_output(const TrainingOptions& options);

/// Trains, with the state of the training in OUT.training until OUT is there. Throws what the parts
/// throw; the state before is then kept.
void train(klue::train::Network<float> network, const TrainingParts& parts,
           const TrainingOptions& options);

}  // namespace finetune
