#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/saved_model.hpp>
#include <klue/core/detail/file_status.hpp>

namespace klue::detail {

bool is_saved_model(const std::filesystem::path& directory) {
  return !file_exists(directory / "config.json") &&
         file_exists(directory / "variables" / "variables.index");
}

bool is_archive(const std::filesystem::path& path) {
  return Archive::has_archive_name(path) && regular_file_exists(path);
}

std::optional<PackedVocabulary> find_vocabulary(const Archive& archive) {
  const std::optional<std::string> member = archive.locate("assets/vocab.txt");
  if (!member) return std::nullopt;
  return PackedVocabulary{(archive.file() / *member).string(),
                          as_text(archive.members().at(*member))};
}

std::optional<std::filesystem::path> find_vocabulary_folder(
    const std::filesystem::path& directory) {
  for (const std::filesystem::path& folder : {directory / "assets", directory})
    if (file_exists(folder / "vocab.txt")) return folder;
  return std::nullopt;
}

std::vector<std::filesystem::path> preprocess_modules_beside(const std::filesystem::path& model) {
  const std::filesystem::path absolute = absolute_path(model);
  const std::filesystem::path beside = absolute.parent_path(), above = beside.parent_path();
  std::vector<std::filesystem::path> places;
  for (const std::filesystem::path& folder : {beside, above})
    for (const char* name :
         {"klue_roberta_cased_preprocess", "klue_roberta_cased_preprocess/1",
          "klue_roberta_cased_preprocess_1", "klue_roberta_cased_preprocess_1.tar.gz",
          "klue_roberta_cased_preprocess.tar.gz"})
      places.push_back(folder / name);
  return places;
}

}  // namespace klue::detail
