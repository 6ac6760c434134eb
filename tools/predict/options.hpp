#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <klue/klue.hpp>

#include "common/record_parser.hpp"

namespace predict {

enum class Format { text, tsv, jsonl };

/// The command line. What is unset is the task's own default.
struct Options {
  std::vector<std::string> texts;
  std::string model;
  std::optional<klue::Task> task;
  std::string input;  ///< "-": standard input; empty: the texts above
  tools::InputFormat input_format = tools::InputFormat::automatic;
  std::string field, pair_field;  ///< columns; empty: their usual names
  Format format = Format::text;
  std::string out = "-";
  bool quiet = false;
  klue::LoadOptions load;

  std::optional<std::size_t> top_k, max_length, stride;
  std::optional<klue::ScoreFunction> activation;
  std::optional<klue::Aggregation> aggregation;
  std::optional<std::size_t> max_answer_length;
  std::optional<double> no_answer_threshold;
  bool no_answer = false, no_align_words = false;
  std::vector<std::string> targets;
};

/// Reads the command line. Where there is nothing to run (--help, --version, wrong usage) it prints
/// what is to be said and returns the exit status through `status`.
std::optional<Options> parse_command_line(int argc, char** argv, int& status);

/// The flags of the command line that do not go with the task: "--targets"; empty where all do.
std::string foreign_flag(const Options& options, klue::Task task);

}  // namespace predict
