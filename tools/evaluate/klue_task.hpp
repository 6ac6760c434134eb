#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <klue/klue.hpp>
#include <klue/task/klue_runner.hpp>

namespace evaluate {

struct PredictedSet {
  std::size_t examples = 0;  ///< sentences, pairs or questions
  /// As --score reads it: {"gold": […], "predictions": […]}, for RE "probabilities" and for MRC
  /// "question_types" beside them.
  nlohmann::json set{};
};

/// Runs a fine-tuned model over one of KLUE's files with the official preprocessing. `max_length`
/// takes the place of the official max_seq_length.
///
/// Throws klue::IoError and klue::FormatError for the file, and klue::FormatError with the example
/// for one that the original refuses, too.
PredictedSet predict(const klue::baseline::Runner& runner, const std::string& file,
                     std::optional<std::size_t> max_length);

}  // namespace evaluate
