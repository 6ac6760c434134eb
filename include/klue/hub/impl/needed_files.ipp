#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <sys/stat.h>

#include <klue/core/detail/json.hpp>
#include <klue/core/detail/model_layout.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>
#include <klue/hub/detail/name.hpp>
#include <klue/hub/detail/needed_files.hpp>
#include <klue/hub/detail/server_text.hpp>

namespace klue::hub::detail {
namespace {

namespace fs = std::filesystem;

using klue::detail::file_exists;
using klue::detail::JsonNode;
using klue::detail::kSettingFiles;
using klue::detail::kWeightFiles;

bool is_index(std::string_view weights) {
  return weights.ends_with(".index.json");
}

/// A module's folder as a prefix of names: "1_Pooling/"; empty: the top of the repository.
struct Module {
  std::string kind;
  std::string folder;
};

std::vector<Module> read_modules(const fs::path& snapshot) {
  std::vector<Module> modules;
  for (const klue::detail::ModuleEntry& entry : klue::detail::read_module_entries(snapshot)) {
    std::string_view path = entry.path;
    if (path.ends_with('/')) path.remove_suffix(1);
    if (!path.empty() && !is_safe_path(path))
      throw FormatError(
          "a module's path leaves its repository",
          {.file = (snapshot / "modules.json").string(), .field = "path", .actual = entry.path});
    modules.push_back(
        {std::string(entry.kind()), entry.folder.empty() ? entry.folder : entry.folder + "/"});
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
  const JsonNode root = klue::detail::read_json_object(index);
  const auto map = root.find("weight_map");
  if (!map || !map->is_object())
    throw FormatError("no weight_map: not an index of weight files", {.file = index.string()});
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map->members()) {
    if (!shard.is_string() || !is_safe_file_name(shard.string_view()))
      throw FormatError("the shard's name is no plain file name",
                        {.file = index.string(), .field = shown_text(tensor)});
    shards.emplace(shard.string_view());
  }
  return shards;
}

/// Adds the one format of a folder's weights that is needed; false where it has none.
bool add_weights(const FileList& repository, const fs::path& snapshot, const std::string& folder,
                 NeededFiles& needed) {
  for (const std::string_view format : kWeightFiles) {
    const std::string name = folder + std::string(format);
    if (!repository.contains(name)) continue;
    if (!is_index(format)) {
      needed.weights.push_back(name);
    } else {
      needed.settings.push_back(name);
      if (file_exists(snapshot / name))
        for (const std::string& shard : read_shards(snapshot / name))
          needed.weights.push_back(folder + shard);
    }
    return true;
  }
  return false;
}

/// The folder that the encoder's own files are in: the top, but for old sentence-transformers.
std::string encoder_folder(const std::vector<Module>& modules) {
  for (const Module& module : modules)
    if (module.kind == "Transformer") return module.folder;
  return "";
}

/// Adds the files below a folder; whatever cannot be read counts as missing, and a link to a folder
/// is not followed. Not by the iterators of std::filesystem: libstdc++'s end the program where
/// memory runs out.
void add_files_below(const fs::path& folder, const std::string& prefix, FileList& files) {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir(folder.c_str()));
  if (!directory) return;
  while (const dirent* const entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const fs::path path = folder / name;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode))
      add_files_below(path, prefix + name + "/", files);
    else if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode))
      files.insert(prefix + name);
  }
}

}  // namespace

FileList files_in(const fs::path& snapshot) {
  FileList files;
  add_files_below(snapshot, "", files);
  return files;
}

NeededFiles needed_files(const FileList& repository, const fs::path& snapshot) {
  const std::vector<Module> modules = read_modules(snapshot);
  const std::string encoder = encoder_folder(modules);
  NeededFiles needed;
  for (const std::string& folder : folders(modules)) {
    for (const std::string_view name : kSettingFiles)
      if (const std::string path = folder + std::string(name); repository.contains(path))
        needed.settings.push_back(path);
    // Before modules.json is there, nobody knows which folder has to have them.
    const bool certain = !repository.contains("modules.json") || !modules.empty();
    if (!add_weights(repository, snapshot, folder, needed) && certain && folder == encoder) {
      std::string expected;
      for (const std::string_view format : kWeightFiles)
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
    const bool dense = module.kind == "Dense";
    if ((dense || module.kind == "Pooling") && !has(module.folder + "config.json"))
      return module.folder + "config.json";
    if (dense && !has(module.folder + "model.safetensors") &&
        !has(module.folder + "pytorch_model.bin"))
      return module.folder + "model.safetensors";
  }
  return std::nullopt;
}

}  // namespace klue::hub::detail
