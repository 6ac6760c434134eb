#include "merge.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>

#include "common/byte_source.hpp"
#include "common/output_file.hpp"
#include "job.hpp"
#include "names.hpp"
#include "text_feed.hpp"
#include "vector_writer.hpp"

namespace embed {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Part {
  std::string file;
  Json manifest{};
};

[[noreturn]] void refuse_parts(const std::string& file, const char* message,
                               std::string expected = {}, std::string actual = {}) {
  throw klue::UsageError(
      message, {.file = file, .expected = std::move(expected), .actual = std::move(actual)});
}

// What all shards of a job have in common.
Json common_job(const Part& part) {
  Json job = part.manifest.at("job");
  for (const char* own : {"number", "first", "texts"})
    job["shard"].erase(own);
  return job;
}

// In the order of the input.
std::vector<Part> read_parts(const Options& options) {
  std::vector<Part> parts;
  for (const std::string& file : options.texts) {
    Part part{file, load_manifest(file)};
    const Json& job = part.manifest.at("job");
    if (!job.contains("shard")) refuse_parts(file, "is no shard but a whole output");
    const auto number = job["shard"].at("number").get<std::size_t>();
    const auto of = job["shard"].at("of").get<std::size_t>();
    if (parts.empty()) parts.resize(of);
    const std::string shard = std::to_string(number) + "/" + std::to_string(of);
    if (of != parts.size() || number == 0 || number > of)
      refuse_parts(file, "is a shard of another run", "I/" + std::to_string(parts.size()), shard);
    if (!parts[number - 1].file.empty())
      refuse_parts(file, "is the same shard as another file", "each once", shard);
    std::error_code error;
    if (fs::file_size(file, error) != part.manifest.at("bytes").get<std::uint64_t>() || error)
      refuse_parts(file, "is not what its manifest says");
    parts[number - 1] = std::move(part);
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i].file.empty())
      refuse_parts("", "a shard is missing", std::to_string(parts.size()) + " files",
                   "none of " + std::to_string(i + 1) + "/" + std::to_string(parts.size()));
  return parts;
}

void check_alike(const Options& options, const std::vector<Part>& parts) {
  Json first = common_job(parts.front());
  for (const Part& part : parts) {
    Json job = common_job(part);
    // Processors with other instructions round otherwise, by less than anyone could see.
    if (job.at("engine") != first.at("engine"))
      notice(options, part.file + ": was made with " + job.at("engine").get<std::string>() +
                          ": not every bit will be as from one run");
    job["engine"] = first.at("engine");
    const std::string different = job_difference(first, job);
    if (!different.empty())
      refuse_parts(part.file, "is no shard of the same run",
                   "the " + different + " of " + parts[0].file);
  }
}

void append(tools::OutputFile& out, const std::string& file, std::size_t header) {
  const auto source = tools::open_file(file, {});
  std::vector<char> bytes(std::size_t{1} << 18);
  for (std::size_t left_out = header; const std::size_t count = source->read(bytes);) {
    const std::size_t skipped = std::min(left_out, count);
    left_out -= skipped;
    out.write({bytes.data() + skipped, count - skipped});
  }
}

}  // namespace

void merge(const Options& options) {
  const std::vector<Part> parts = read_parts(options);
  check_alike(options, parts);
  Json job = parts.front().manifest.at("job");
  JobState state{.complete = true};
  for (const Part& part : parts) {
    tools::refuse_same_file(options.out, part.file, "a shard");
    state.texts += part.manifest.at("texts").get<std::uint64_t>();
  }
  if (state.texts != job.at("shard").at("total").get<std::uint64_t>())
    refuse_parts("", "the shards are not the whole input", job["shard"]["total"].dump() + " texts",
                 std::to_string(state.texts));

  const std::string format = job.at("options").at("format").get<std::string>();
  std::size_t header = 0;
  tools::OutputFile out(options.out);
  if (format == name_of(Format::npy) || format == name_of(Format::fbin)) {
    const std::string bytes =
        vectors_header(format == "npy" ? Format::npy : Format::fbin,
                       job["options"].at("dtype") == name_of(Dtype::f16) ? Dtype::f16 : Dtype::f32,
                       state.texts, job.at("width").get<std::size_t>());
    out.write(bytes);
    header = bytes.size();
  }
  for (const Part& part : parts)
    append(out, part.file, header);
  state.bytes = out.size();
  out.finish();
  job.erase("shard");
  write_manifest(options.out, job, state);
}

}  // namespace embed
