#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <klue/klue.hpp>

namespace embed {

enum class InputFormat { lines, tsv, jsonl };
enum class Output { pooled, sequence, layers, embedding, logits };
enum class Format { text, jsonl, csv, npy, f32 };

/// The command line.
struct Options {
  std::vector<std::string> texts;
  std::string model;  ///< empty: the bundled demo model
  std::string input;  ///< "-": standard input; empty: the texts above
  InputFormat input_format = InputFormat::lines;
  Output output = Output::embedding;
  klue::Pooling pooling = klue::Pooling::automatic;
  bool normalize = false;
  Format format = Format::text;
  std::string out = "-";
  bool tokenize = false;
  bool similarity = false;
  bool info = false;
  bool quiet = false;
  std::optional<klue::Dialect> dialect;
  std::optional<std::size_t> max_length, seq_length;
  std::optional<klue::Truncation> truncation;
  klue::LoadOptions load;
};

/// Reads the command line. Where there is nothing to run (--help, --version, wrong usage) it prints
/// what is to be said and returns the exit status through `status`.
std::optional<Options> parse_command_line(int argc, char** argv, int& status);

}  // namespace embed
