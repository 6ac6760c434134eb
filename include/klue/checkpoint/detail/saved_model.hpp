#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/checkpoint/detail/archive.hpp>

/// Where a TF-Hub module keeps its files, unpacked and packed.
namespace klue::detail {

/// A directory with variables and no configuration of Hugging Face's.
bool is_saved_model(const Place& directory);

/// A file that is named as an archive.
bool is_archive(const Place& path);

/// The vocabulary of a packed preprocess module.
struct PackedVocabulary {
  std::string file;       ///< for people: the archive and the path in it
  std::string_view text;  ///< valid as long as the archive
};
std::optional<PackedVocabulary> find_vocabulary(const Archive& archive);

/// The folder with a vocab.txt: the assets of a preprocess module, or the directory itself.
std::optional<Place> find_vocabulary_folder(const Place& directory);

/// Where the preprocess module of an encoder may be: people unpack the two side by side, or leave
/// them packed. They need not exist. Nothing is beside files in memory.
std::vector<Place> preprocess_modules_beside(const Place& model);

}  // namespace klue::detail
