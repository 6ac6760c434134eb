#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/checkpoint/detail/archive.hpp>

/// Where a TF-Hub module keeps its files, unpacked and packed.
namespace klue::detail {

/// A directory with variables and no configuration of Hugging Face's.
bool is_saved_model(const std::filesystem::path& directory);

/// A file that is named as an archive.
bool is_archive(const std::filesystem::path& path);

/// The vocabulary of a packed preprocess module.
struct PackedVocabulary {
  std::string file;       ///< for people: the archive and the path in it
  std::string_view text;  ///< valid as long as the archive
};
std::optional<PackedVocabulary> find_vocabulary(const Archive& archive);

/// The folder with a vocab.txt: the assets of a preprocess module, or the directory itself.
std::optional<std::filesystem::path> find_vocabulary_folder(const std::filesystem::path& directory);

/// Where the preprocess module of an encoder may be: people unpack the two side by side, or leave
/// them packed. They need not exist.
std::vector<std::filesystem::path> preprocess_modules_beside(const std::filesystem::path& model);

}  // namespace klue::detail
