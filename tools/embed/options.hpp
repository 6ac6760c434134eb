#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <klue/klue.hpp>

#include "common/progress_meter.hpp"
#include "common/record_reader.hpp"

namespace embed {

enum class Output { pooled, sequence, layers, embedding, logits };
enum class Format { text, jsonl, csv, npy, fbin, f32 };
enum class Dtype { f32, f16 };
enum class Long { cut, windows, refuse };

/// Which part of the input: `number` of `of`, from 1.
struct Shard {
  std::size_t number = 1, of = 1;
};

/// The command line.
struct Options {
  std::vector<std::string> texts;
  std::string model;          ///< empty: the bundled demo model
  tools::InputOptions input;  ///< no files: the texts above
  Output output = Output::embedding;
  klue::Pooling pooling = klue::Pooling::automatic;
  bool normalize = false;
  Format format = Format::text;
  Dtype dtype = Dtype::f32;
  bool with_text = false;
  std::string out = "-";
  bool resume = false, merge = false, manifest = false;
  std::optional<Shard> shard;
  bool tokenize = false;
  bool similarity = false;
  std::vector<std::string> queries;  ///< of --search
  std::string queries_file;          ///< of --queries
  std::optional<double> duplicates, communities;
  std::size_t least_community = 2;  ///< texts of --communities
  std::size_t top_k = 10;
  std::string vectors;  ///< saved ones to search in
  std::string plot;
  bool info = false;
  bool quiet = false, summary = false;
  tools::ProgressKind progress = tools::ProgressKind::automatic;
  Long long_texts = Long::cut;
  std::optional<klue::Dialect> dialect;
  std::optional<std::size_t> max_length, seq_length;
  std::optional<klue::Truncation> truncation;
  klue::LoadOptions load;

  bool searches() const { return !queries.empty() || !queries_file.empty(); }
  bool compares_all() const { return duplicates || communities; }
};

/// Reads the command line. Where there is nothing to run (--help, --version, wrong usage) it prints
/// what is to be said and returns the exit status through `status`.
std::optional<Options> parse_command_line(int argc, char** argv, int& status);

}  // namespace embed
