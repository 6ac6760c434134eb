#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/saved_model.hpp>
#include <klue/core/detail/file_status.hpp>

namespace klue::detail {

bool is_saved_model(const Place& directory) {
  return !file_exists(directory / "config.json") &&
         file_exists(directory / "variables" / "variables.index");
}

bool is_archive(const Place& path) {
  return Archive::has_archive_name(path.path()) && regular_file_exists(path);
}

std::optional<PackedVocabulary> find_vocabulary(const Archive& archive) {
  const std::optional<std::string> member = archive.locate("assets/vocab.txt");
  if (!member) return std::nullopt;
  return PackedVocabulary{(archive.file() / *member).string(),
                          as_text(archive.members().at(*member))};
}

std::optional<Place> find_vocabulary_folder(const Place& directory) {
  for (const Place& folder : {directory / "assets", directory})
    if (file_exists(folder / "vocab.txt")) return folder;
  return std::nullopt;
}

std::vector<Place> preprocess_modules_beside(const Place& model) {
  if (!model.on_disk()) return {};
  const std::filesystem::path absolute = absolute_path(model.path());
  const std::filesystem::path beside = absolute.parent_path(), above = beside.parent_path();
  std::vector<Place> places;
  for (const std::filesystem::path& folder : {beside, above})
    for (const char* name :
         {"klue_roberta_cased_preprocess", "klue_roberta_cased_preprocess/1",
          "klue_roberta_cased_preprocess_1", "klue_roberta_cased_preprocess_1.tar.gz",
          "klue_roberta_cased_preprocess.tar.gz"})
      places.emplace_back(folder / name);
  return places;
}

}  // namespace klue::detail
