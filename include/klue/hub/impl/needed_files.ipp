#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/core/detail/json_file.hpp>
#include <klue/core/error.hpp>
#include <klue/hub/detail/name.hpp>
#include <klue/hub/detail/needed_files.hpp>

namespace klue::hub::detail {
namespace {

namespace fs = std::filesystem;

/// What `Model::load` reads beside weights, where a directory has it.
constexpr std::array<std::string_view, 10> kSettings{"config.json",
                                                     "tokenizer.json",
                                                     "tokenizer_config.json",
                                                     "vocab.txt",
                                                     "special_tokens_map.json",
                                                     "added_tokens.json",
                                                     "modules.json",
                                                     "config_sentence_transformers.json",
                                                     "sentence_bert_config.json",
                                                     "sentence_roberta_config.json"};

/// In the order in which `open_checkpoint` prefers them.
constexpr std::array<std::string_view, 4> kWeights{
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json"};

bool is_there(const fs::path& file) {
  std::error_code error;
  return fs::exists(file, error);
}

bool is_index(std::string_view weights) {
  return weights.ends_with(".index.json");
}

/// One step of a sentence-transformers model.
struct Module {
  std::string type;    ///< "sentence_transformers.models.Pooling"
  std::string folder;  ///< "1_Pooling/"; empty: the top of the repository
};

std::vector<Module> read_modules(const fs::path& snapshot) {
  const fs::path file = snapshot / "modules.json";
  if (!is_there(file)) return {};
  std::vector<Module> modules;
  for (const nlohmann::json& entry : klue::detail::json::read_array(file)) {
    if (!entry.is_object()) continue;  // Model::load has the words for that
    Module module{entry.value("type", nlohmann::json()).is_string() ? entry["type"] : "",
                  entry.value("path", nlohmann::json()).is_string() ? entry["path"] : ""};
    if (module.folder.ends_with('/')) module.folder.pop_back();
    if (!module.folder.empty()) {
      if (!is_safe_path(module.folder))
        throw FormatError("a module's path leaves its repository",
                          {.file = file.string(), .field = "path", .actual = module.folder});
      module.folder.push_back('/');
    }
    modules.push_back(std::move(module));
  }
  return modules;
}

/// The top of the repository, and the folders of its modules.
std::set<std::string> folders(const std::vector<Module>& modules) {
  std::set<std::string> folders{""};
  for (const Module& module : modules)
    folders.insert(module.folder);
  return folders;
}

/// The files of an index that is in the snapshot.
std::set<std::string> read_shards(const fs::path& index) {
  const klue::detail::json::Object content = klue::detail::json::Object::read(index);
  const auto map = content.value().find("weight_map");
  if (map == content.value().end() || !map->is_object())
    throw FormatError("no weight_map: not an index of weight files", {.file = index.string()});
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string() || !is_safe_file_name(shard.get_ref<const std::string&>()))
      throw FormatError("the shard's name is no plain file name",
                        {.file = index.string(), .field = tensor});
    shards.insert(shard.get<std::string>());
  }
  return shards;
}

/// Adds the one format of a folder's weights that is needed; false where it has none.
bool add_weights(const FileList& repository, const fs::path& snapshot, const std::string& folder,
                 NeededFiles& needed) {
  for (const std::string_view format : kWeights) {
    const std::string name = folder + std::string(format);
    if (!repository.contains(name)) continue;
    if (!is_index(format)) {
      needed.weights.push_back(name);
    } else {
      needed.settings.push_back(name);
      if (is_there(snapshot / name))
        for (const std::string& shard : read_shards(snapshot / name))
          needed.weights.push_back(folder + shard);
    }
    return true;
  }
  return false;
}

bool ends_with_type(const Module& module, std::string_view name) {
  return module.type.ends_with(name);
}

/// The folder that the encoder's own files are in: the top, but for old sentence-transformers.
std::string encoder_folder(const std::vector<Module>& modules) {
  for (const Module& module : modules)
    if (ends_with_type(module, ".Transformer")) return module.folder;
  return "";
}

}  // namespace

FileList files_in(const fs::path& snapshot) {
  FileList files;
  std::error_code error;
  // Whatever cannot be read counts as missing.
  for (fs::recursive_directory_iterator entry(snapshot, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    if (entry->is_regular_file(unreadable))
      files.insert(entry->path().lexically_relative(snapshot).generic_string());
  }
  return files;
}

NeededFiles needed_files(const FileList& repository, const fs::path& snapshot) {
  const std::vector<Module> modules = read_modules(snapshot);
  const std::string encoder = encoder_folder(modules);
  NeededFiles needed;
  for (const std::string& folder : folders(modules)) {
    for (const std::string_view name : kSettings)
      if (const std::string path = folder + std::string(name); repository.contains(path))
        needed.settings.push_back(path);
    // Before modules.json is there, nobody knows which folder has to have them.
    const bool certain = !repository.contains("modules.json") || !modules.empty();
    if (!add_weights(repository, snapshot, folder, needed) && certain && folder == encoder) {
      std::string expected;
      for (const std::string_view format : kWeights)
        expected.append(expected.empty() ? "" : ", ").append(folder).append(format);
      throw UnsupportedError("the repository has no weights in a format that is read here",
                             {.file = snapshot.string(), .expected = expected});
    }
  }
  return needed;
}

std::optional<std::string> missing_file(const fs::path& snapshot) {
  const FileList files = files_in(snapshot);
  const std::vector<Module> modules = read_modules(snapshot);
  const std::string encoder = encoder_folder(modules);
  const auto has = [&](const std::string& name) { return files.contains(name); };
  if (!has(encoder + "config.json")) return encoder + "config.json";
  if (!has(encoder + "tokenizer.json") && !has(encoder + "vocab.txt"))
    return encoder + "tokenizer.json";
  for (const std::string& folder : folders(modules)) {
    NeededFiles needed;
    if (!add_weights(files, snapshot, folder, needed) && folder == encoder)
      return folder + "model.safetensors";
    for (const std::string& weights : needed.weights)
      if (!has(weights)) return weights;
  }
  for (const Module& module : modules) {
    const bool dense = ends_with_type(module, ".Dense");
    if ((dense || ends_with_type(module, ".Pooling")) && !has(module.folder + "config.json"))
      return module.folder + "config.json";
    if (dense && !has(module.folder + "model.safetensors") &&
        !has(module.folder + "pytorch_model.bin"))
      return module.folder + "model.safetensors";
  }
  return std::nullopt;
}

}  // namespace klue::hub::detail
