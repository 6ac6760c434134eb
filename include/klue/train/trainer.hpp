#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/train/batch.hpp>
#include <klue/train/network.hpp>
#include <klue/train/optimizer.hpp>

namespace klue::train {

/// One line of training data, as token ids with special tokens, and what is right for it. Which
/// fields are looked at depends on the objective.
struct Example {
  std::vector<std::int32_t> ids{}, types{};  ///< types may be empty: all 0
  std::vector<std::int32_t> second{};        ///< Head::embedding: the pair's other sentence
  std::vector<std::int32_t> second_types{};  ///< of it
  std::int32_t label = kIgnored;             ///< cross_entropy
  std::vector<double> values{};              ///< one for each logit; or the similarity of a pair
  std::vector<std::int32_t> classes{};       ///< [tokens], token_cross_entropy
  std::size_t start = 0, end = 0;            ///< span_cross_entropy
};

/// A batch of these. `streams` names the dropout numbers of each (of each pair: one and the next);
/// empty: 0, 1, 2, … Throws as Batch::append does.
KLUE_EXPORT Batch make_batch(const EncoderConfig& config, Objective objective,
                             std::span<const Example* const> examples,
                             std::span<const std::uint64_t> streams = {});

/// The order of an epoch: a permutation of 0 … count − 1 that depends on seed and epoch alone.
KLUE_EXPORT std::vector<std::size_t> epoch_order(std::uint64_t seed, std::uint64_t epoch,
                                                 std::size_t count);

/// How pieces are masked for a masked language model.
struct Masking {
  std::int32_t mask_id = 4;    ///< of [MASK]
  std::size_t vocabulary = 0;  ///< random pieces are drawn from it
  double rate = 0.15;          ///< of them 80 % become [MASK], 10 % random, 10 % stay
};

/// A text with some pieces masked and the classes to find again; others are kIgnored. At least one,
/// where there is any; never one of `special`. Depends on key and example alone.
KLUE_EXPORT Example masked(const Example& example, const Masking& masking,
                           std::span<const std::int32_t> special, std::uint64_t key);

/// How a network is trained.
struct TrainerOptions {
  Schedule schedule{};             ///< of the learning rate
  AdamWOptions optimizer{};        ///< decay, clipping, moments
  double hidden_dropout = 0.1;     ///< share of a layer's outputs that is dropped
  double attention_dropout = 0.1;  ///< share of the attention's weights
  double head_dropout = 0.1;       ///< share of what the head is given
  double spread = 0;               ///< Pass::spread
  std::uint64_t seed = 1;          ///< of dropout
  /// A step is made of this many parts, one after another, for less memory. Means are over the
  /// whole step. In-batch negatives, CoSENT and `spread` compare within a part only.
  std::size_t accumulate = 1;
  bool recompute_layers = false;  ///< Pass::recompute_layers
};

/// What became of a step.
struct StepReport {
  std::size_t step = 0;      ///< from 1
  double loss = 0;           ///< mean over what the objective counts
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;  ///< that the step was made with
  std::size_t tokens = 0;    ///< of all examples
};

/// Trains a network step by step.
class KLUE_EXPORT Trainer {
 public:
  /// Takes the network over.
  Trainer(Network<float> network, Objective objective, const TrainerOptions& options);

  /// One optimiser step. Throws Error where loss or gradient are no numbers; the parameters are
  /// then those before the step.
  StepReport step(std::span<const Example* const> examples);

  /// Steps that were made.
  std::size_t steps() const noexcept { return optimizer_.steps(); }
  /// What is trained.
  Network<float>& network() noexcept { return network_; }
  /// What is trained.
  const Network<float>& network() const noexcept { return network_; }
  /// What is minimised.
  Objective objective() const noexcept { return objective_; }

  /// Parameters, moments and step, with a note of the caller's, in one safetensors file that is
  /// whole or not there and is called .safetensors. From it a training goes on to the same bits.
  void save_state(const std::filesystem::path& file, std::string_view note) const;
  /// Returns the note. Throws FormatError where the file is of another network.
  std::string load_state(const std::filesystem::path& file);

  /// The parameters alone.
  void save_parameters(const std::filesystem::path& file) const;
  /// Takes parameters from a file of save_parameters. Throws FormatError where they are another
  /// network's.
  void load_parameters(const std::filesystem::path& file);

 private:
  Network<float> network_;
  Objective objective_;
  TrainerOptions options_;
  AdamW<float> optimizer_;
};

}  // namespace klue::train
