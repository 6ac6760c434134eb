#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include <klue/klue.hpp>

#include "options.hpp"

namespace embed {

/// What determines the bytes of an output, apart from the texts: version, model with the hashes of
/// its files, engine and options. Two runs with equal descriptions continue each other.
nlohmann::ordered_json describe_job(const Options& options, const klue::Model& model,
                                    std::size_t width);

/// Which part of the input a shard is.
struct ShardRange {
  std::size_t first = 0, count = 0, total = 0;
};

/// How far a run has come: everything up to here is on the disk.
struct JobState {
  std::uint64_t texts = 0;     ///< vectors written
  std::uint64_t bytes = 0;     ///< of the output
  std::string input_sha256{};  ///< of the texts so far
  bool complete = false;       ///< nothing is missing but the name
};

/// What lies beside an output that is not whole yet: OUT.partial.json.
std::filesystem::path state_file(const std::filesystem::path& out);
/// What lies beside one that is: OUT.manifest.json.
std::filesystem::path manifest_file(const std::filesystem::path& out);

void write_state(const std::filesystem::path& out, const nlohmann::ordered_json& job,
                 const JobState& state);

/// The state of an interrupted run; none where there is none. Throws klue::UsageError, naming what
/// is different, where it was another job, and klue::FormatError for a damaged file.
std::optional<JobState> read_state(const std::filesystem::path& out,
                                   const nlohmann::ordered_json& job);

void write_manifest(const std::filesystem::path& out, const nlohmann::ordered_json& job,
                    const JobState& state);

/// The state of a finished run of the same job; none where there is none.
std::optional<JobState> read_manifest(const std::filesystem::path& out,
                                      const nlohmann::ordered_json& job);

/// A finished output's manifest: {"job": …, "texts": …, "bytes": …}. Throws klue::IoError where
/// there is none, klue::FormatError for a damaged one.
nlohmann::ordered_json load_manifest(const std::filesystem::path& out);

/// Where the first difference between two descriptions is: "options.pooling"; "" where there is
/// none.
std::string job_difference(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b);

}  // namespace embed
