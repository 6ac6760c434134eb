#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <klue/core/tensor.hpp>

namespace klue {

/// Which positions of a padded row become rows of a batch.
enum class PaddedRows : std::uint8_t {
  zero,      ///< real tokens only; the outputs of the others are zero
  reference  ///< all of them, as the original computes them: padding attends, but is not attended
             ///< to
};

/// What to compute and keep.
struct OutputOptions {
  /// Unset: where the checkpoint has a pooler. True: required, and an error where it has none.
  std::optional<bool> pooled_output{};
  bool sequence_output = true;                ///< a vector for each token
  bool encoder_outputs = false;               ///< the same after each layer
  PaddedRows padded_rows = PaddedRows::zero;  ///< what padding becomes
};

/// The outputs of the TF-Hub module.
struct EncoderOutputs {
  /// [batch, hidden]; absent when the checkpoint has no pooler, as klue/roberta-base's has none.
  std::optional<Tensor> pooled_output;
  Tensor sequence_output;  ///< [batch, seq_length, hidden]
  std::vector<Tensor>
      encoder_outputs;  ///< one [batch, seq_length, hidden] per layer, first to last
};

}  // namespace klue
