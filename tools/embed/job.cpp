#include "job.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>

#include "common/choices.hpp"
#include "common/output_file.hpp"
#include "common/sha256.hpp"
#include "names.hpp"

namespace embed {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// The files of a model directory that could change what it computes. Weights in formats that were
// not loaded are large and change nothing.
std::vector<fs::path> model_files(const klue::ModelInfo& info) {
  std::vector<fs::path> files;
  std::error_code error;
  if (!fs::is_directory(info.directory, error)) return {info.directory};
  auto entries = fs::recursive_directory_iterator(info.directory, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (entries.depth() > 1) entries.disable_recursion_pending();
    if (!entries->is_regular_file(error)) continue;
    const std::string extension = entries->path().extension().string();
    const bool settings = extension == ".json" || extension == ".txt" || extension == ".index";
    const bool loaded = extension == info.weights_file.extension() ||
                        extension.starts_with(".data-") || extension == ".safetensors" ||
                        (extension == ".bin" && info.weights_format != "safetensors");
    if (settings || loaded || entries->path() == info.weights_file)
      files.push_back(entries->path());
  }
  std::ranges::sort(files);
  return files;
}

Json describe_model(const klue::ModelInfo& info) {
  Json files = Json::object();
  for (const fs::path& file : model_files(info)) {
    const fs::path name = fs::is_directory(info.directory) ? file.lexically_relative(info.directory)
                                                           : file.filename();
    files[name.string()] = tools::sha256_of_file(file);
  }
  return {{"directory", info.directory.string()}, {"sha256", std::move(files)}};
}

Json optional_number(const std::optional<std::size_t>& number) {
  return number ? Json(*number) : Json(nullptr);
}

// Where the first difference between two descriptions is: "options.pooling"; "" where there is
// none.
std::string difference(const Json& a, const Json& b, const std::string& path = {}) {
  if (a == b) return {};
  if (!a.is_object() || !b.is_object()) return path;
  std::vector<std::string> keys;
  for (const auto* side : {&a, &b})
    for (const auto& item : side->items())
      keys.push_back(item.key());
  for (const std::string& key : keys) {
    // Where the model lies is of no interest as long as it is the same.
    if (path == "model" && key == "directory") continue;
    const std::string inner = path.empty() ? key : path + "." + key;
    if (!a.contains(key) || !b.contains(key)) return inner;
    const std::string found = difference(a.at(key), b.at(key), inner);
    if (!found.empty()) return found;
  }
  return {};
}

const Json* find_path(const Json& value, std::string_view path) {
  const Json* found = &value;
  for (std::size_t level = 0; !path.empty(); ++level) {
    // Names of files have points of their own; they stand on the last level.
    const std::size_t end = level < 2 ? std::min(path.find('.'), path.size()) : path.size();
    const auto member = found->find(std::string(path.substr(0, end)));
    if (member == found->end()) return nullptr;
    found = &*member;
    path.remove_prefix(std::min(path.size(), end + 1));
  }
  return found;
}

std::string value_at(const Json& value, const std::string& path) {
  const Json* found = find_path(value, path);
  return found == nullptr ? "nothing" : found->dump();
}

std::optional<Json> read_json(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  constexpr std::size_t kMost = std::size_t{16} << 20;  // a few kB, in truth
  std::string text(kMost, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object() || !value.contains("job") || !value["job"].is_object())
    throw klue::FormatError("is damaged: remove it to begin anew", {.file = file.string()});
  return value;
}

JobState state_of(const Json& value, const fs::path& file) {
  try {
    return {.texts = value.at("texts").get<std::uint64_t>(),
            .bytes = value.at("bytes").get<std::uint64_t>(),
            .input_sha256 = value.at("input_sha256").get<std::string>(),
            .complete = value.at("complete").get<bool>()};
  } catch (const nlohmann::json::exception&) {
    throw klue::FormatError("is damaged: remove it to begin anew", {.file = file.string()});
  }
}

std::string dump(const Json& job, const JobState& state) {
  const Json value{{"job", job},
                   {"texts", state.texts},
                   {"bytes", state.bytes},
                   {"input_sha256", state.input_sha256},
                   {"complete", state.complete}};
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Json describe_job(const Options& o, const klue::Model& model, std::size_t width) {
  const tools::InputOptions& in = o.input;
  Json options{
      {"output", name_of(o.output)},
      {"pooling", klue::pooling_name(o.pooling)},
      {"normalize", o.normalize},
      {"format", name_of(o.format)},
      {"dtype", name_of(o.dtype)},
      {"with_text", o.with_text},
      {"long", name_of(o.long_texts)},
      {"max_length", optional_number(o.max_length)},
      {"seq_length", optional_number(o.seq_length)},
      {"truncation", o.truncation ? Json(klue::truncation_name(*o.truncation)) : Json(nullptr)},
      {"input_format", name_of(in.format.format)},
      {"field", in.format.field},
      {"pair_field", in.format.pair_field},
      {"id_field", in.format.id_field},
      {"encoding", in.encoding},
      {"on_error", name_of(in.on_error)},
  };
  return {{"program", "embed " KLUE_VERSION},
          {"model", describe_model(model.info())},
          {"dialect", klue::dialect_name(model.preprocessor().dialect())},
          {"engine", model.info().engine},
          {"width", width},
          {"options", std::move(options)}};
}

fs::path state_file(const fs::path& out) {
  return out.string() + ".partial.json";
}

fs::path manifest_file(const fs::path& out) {
  return out.string() + ".manifest.json";
}

void write_state(const fs::path& out, const Json& job, const JobState& state) {
  tools::replace_file(state_file(out), dump(job, state));
}

std::optional<JobState> read_state(const fs::path& out, const Json& job) {
  const fs::path file = state_file(out);
  const std::optional<Json> value = read_json(file);
  if (!value) return std::nullopt;
  const std::string different = difference(value->at("job"), job);
  if (!different.empty())
    throw klue::UsageError("the interrupted run was another one: remove this file to begin anew",
                           {.file = file.string(),
                            .field = different,
                            .expected = value_at(value->at("job"), different),
                            .actual = value_at(job, different)});
  return state_of(*value, file);
}

void write_manifest(const fs::path& out, const Json& job, const JobState& state) {
  tools::replace_file(manifest_file(out), dump(job, state));
}

std::optional<JobState> read_manifest(const fs::path& out, const Json& job) {
  const fs::path file = manifest_file(out);
  try {
    const std::optional<Json> value = read_json(file);
    if (!value || !difference(value->at("job"), job).empty()) return std::nullopt;
    return state_of(*value, file);
  } catch (const klue::FormatError&) {
    return std::nullopt;  // it is written anew
  }
}

Json load_manifest(const fs::path& out) {
  const fs::path file = manifest_file(out);
  std::optional<Json> value = read_json(file);
  if (!value)
    throw klue::IoError("there is no manifest",
                        {.file = file.string(), .expected = "the output of embed --shard I/N"});
  state_of(*value, file);
  return std::move(*value);
}

std::string job_difference(const Json& a, const Json& b) {
  return difference(a, b);
}

}  // namespace embed
