#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <klue/klue.hpp>

#include "benchmark.hpp"

namespace evaluate {

enum class Format { text, tsv, jsonl };

/// The command line.
struct Options {
  std::vector<std::string> files;
  std::optional<Benchmark> score;  ///< scores predictions, and runs no model
  std::string input;               ///< of predictions; "-": standard input
  std::optional<Benchmark> task;   ///< runs a fine-tuned model over KLUE's files
  std::string predictions;         ///< where what it predicts is written; empty: nowhere
  std::string model;               ///< empty: the bundled demo model
  klue::LoadOptions load;
  /// Empty: all that this processor has; of a task f32.
  std::vector<klue::Precision> precisions;
  klue::Pooling pooling = klue::Pooling::automatic;
  std::optional<std::size_t> max_length;
  bool baseline = true;
  Format format = Format::text;
  bool quiet = false;
};

/// Reads the command line. Where there is nothing to run (--help, --version, wrong usage) it prints
/// what is to be said and returns the exit status through `status`.
std::optional<Options> parse_command_line(int argc, char** argv, int& status);

}  // namespace evaluate
