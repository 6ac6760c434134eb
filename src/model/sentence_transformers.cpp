#include "model/sentence_transformers.hpp"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>

#include "core/json_file.hpp"

namespace klue {
namespace {

Pooling read_pooling(const std::filesystem::path& file) {
  const json::Object config = json::Object::read(file);
  constexpr std::array<std::pair<const char*, Pooling>, 3> kModes{{
      {"pooling_mode_cls_token", Pooling::cls},
      {"pooling_mode_mean_tokens", Pooling::mean},
      {"pooling_mode_max_tokens", Pooling::max},
  }};
  std::optional<Pooling> pooling;
  for (const auto& [key, value] : config.value().items()) {
    if (!key.starts_with("pooling_mode_") || !config.boolean(key.c_str())) continue;
    std::optional<Pooling> mode;
    for (const auto& [name, known] : kModes)
      if (key == name) mode = known;
    if (!mode || pooling)
      throw UnsupportedError(
          "this pooling is not supported",
          {.file = file.string(), .field = key, .expected = "one of cls, mean and max alone"});
    pooling = mode;
  }
  if (!pooling) throw FormatError("no pooling mode is chosen", {.file = file.string()});
  return *pooling;
}

}  // namespace

std::optional<SentenceTransformer> read_sentence_transformer(
    const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "modules.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  const nlohmann::json modules = json::read_array(file);
  SentenceTransformer result;
  for (const nlohmann::json& module : modules) {
    const auto text = [&](const char* key) {
      if (!module.is_object() || !module.contains(key) || !module[key].is_string())
        throw FormatError(
            "wrong value",
            {.file = file.string(), .field = key, .expected = "a string in every module"});
      return module[key].get<std::string>();
    };
    const std::string type = text("type"), path = text("path");
    if (type == "sentence_transformers.models.Transformer" && path.empty()) continue;
    if (type == "sentence_transformers.models.Pooling")
      result.pooling = read_pooling(directory / path / "config.json");
    else if (type == "sentence_transformers.models.Normalize")
      result.normalize = true;
    else
      throw UnsupportedError("this module is not supported",
                             {.file = file.string(),
                              .field = path.empty() ? "type" : path,
                              .expected = "a Transformer at the top, Pooling and Normalize",
                              .actual = type});
  }
  const std::filesystem::path limits = directory / "sentence_bert_config.json";
  if (std::filesystem::exists(limits)) {
    const json::Object config = json::Object::read(limits);
    if (config.has("max_seq_length") && !config.value()["max_seq_length"].is_null())
      result.max_seq_length = static_cast<std::size_t>(
          config.integer("max_seq_length", 1, std::numeric_limits<std::int32_t>::max()));
    if (config.has("do_lower_case") && config.boolean("do_lower_case"))
      throw UnsupportedError("lower-casing before the tokenizer is not supported",
                             {.file = limits.string(), .field = "do_lower_case"});
  }
  return result;
}

}  // namespace klue
