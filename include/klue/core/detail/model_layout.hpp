#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/core/detail/json.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>

/// The names of the files in a model directory, for those who read one and for those who fetch one.
namespace klue::detail {

/// Weights, the preferred first.
inline constexpr std::array<std::string_view, 4> kWeightFiles{
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json"};

/// What is read beside weights, where a directory has it.
inline constexpr std::array<std::string_view, 10> kSettingFiles{"config.json",
                                                                "tokenizer.json",
                                                                "tokenizer_config.json",
                                                                "vocab.txt",
                                                                "special_tokens_map.json",
                                                                "added_tokens.json",
                                                                "modules.json",
                                                                "config_sentence_transformers.json",
                                                                "sentence_bert_config.json",
                                                                "sentence_roberta_config.json"};

/// One entry of modules.json, a step of a sentence-transformers model.
struct ModuleEntry {
  std::string type;    ///< the Python class, "sentence_transformers.models.Pooling"
  std::string path;    ///< as it is written
  std::string folder;  ///< "1_Pooling"; empty: the model directory itself

  /// "Pooling": the packages above it have moved between versions.
  std::string_view kind() const {
    if (!type.starts_with("sentence_transformers.")) return type;
    return std::string_view(type).substr(type.rfind('.') + 1);
  }
};

/// The modules of a directory; none where it has no modules.json. Throws FormatError for a file
/// that makes no sense. Whether the folders are inside of the directory is for the caller to check.
inline std::vector<ModuleEntry> read_module_entries(const Place& directory) {
  const Place file = directory / "modules.json";
  std::vector<ModuleEntry> modules;
  if (!file_exists(file)) return modules;
  const JsonNode root = read_json(file);
  constexpr std::size_t kMost = 64;  // no vector is worth more
  if (root.elements().size() > kMost)
    throw FormatError("more modules than a model has",
                      {.file = file.string(),
                       .expected = "at most " + std::to_string(kMost),
                       .actual = std::to_string(root.size())});
  for (const JsonNode& entry : root.elements()) {
    const auto text = [&](const char* key) {
      const auto value = entry.is_object() ? entry.find(key) : std::nullopt;
      if (!value || !value->is_string())
        throw FormatError(
            "wrong value",
            {.file = file.string(), .field = key, .expected = "a string in every module"});
      return value->string();
    };
    std::string type = text("type"), path = text("path");
    std::string folder = std::filesystem::path(path).lexically_normal().generic_string();
    if (folder.ends_with('/')) folder.pop_back();
    modules.push_back({std::move(type), std::move(path), folder == "." ? std::string() : folder});
  }
  return modules;
}

/// The folder that holds the encoder and the tokenizer: that of the Transformer module where there
/// is one; empty: the model directory itself.
inline std::string transformer_folder(const std::vector<ModuleEntry>& modules) {
  for (const ModuleEntry& module : modules)
    if (module.kind() == "Transformer") return module.folder;
  return {};
}

}  // namespace klue::detail
