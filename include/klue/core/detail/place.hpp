#pragma once

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <klue/core/detail/budget.hpp>
#include <klue/core/detail/file_status.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/files.hpp>

namespace klue::detail {

/// Asks a caller's files for each name once: an answer may cost it a decryption.
class FilesOnce {
 public:
  explicit FilesOnce(const Files& files) : files_(files) {}

  const std::optional<FileBytes>& find(const std::string& name) {
    const auto known = answers_.find(name);
    if (known != answers_.end()) return known->second;
    return answers_.emplace(name, files_.find(name)).first->second;
  }

 private:
  const Files& files_;
  std::map<std::string, std::optional<FileBytes>> answers_;
};

/// A file or directory of a model, on the disk or in a caller's `Files`: what readers take, so that
/// they need not know which.
///
/// Only inline functions: klue_hub, which is linked by itself, compiles its own.
class Place {
 public:
  template <class Path>
  requires(std::convertible_to<Path, std::filesystem::path> &&
           !std::same_as<std::remove_cvref_t<Path>, Place>) Place(Path&& path)
      : path_(std::forward<Path>(path)) {}

  /// The directory of all these files, which must outlive the places in it.
  static Place of(const Files& files) {
    Place place{std::filesystem::path(files.name())};
    place.files_ = std::make_shared<FilesOnce>(files);
    return place;
  }

  /// On the disk the path; else what stands for it in errors.
  const std::filesystem::path& path() const noexcept { return path_; }
  std::string string() const { return path_.string(); }
  bool on_disk() const noexcept { return files_ == nullptr; }

  Place operator/(const std::filesystem::path& below) const {
    return at(path_ / below, inside_ / below);
  }

  /// Another file in the same folder.
  Place beside(const std::filesystem::path& name) const {
    return at(path_.parent_path() / name, inside_.parent_path() / name);
  }

  /// Of the caller's files, where it is there; only where it is not on the disk. Their directory is
  /// no file.
  const std::optional<FileBytes>& find() const {
    static const std::optional<FileBytes> none;
    if (inside_.empty()) return none;
    return files_->find(inside_.lexically_normal().generic_string());
  }

 private:
  Place at(std::filesystem::path path, std::filesystem::path inside) const {
    Place place(std::move(path));
    place.files_ = files_;
    if (files_ != nullptr) place.inside_ = std::move(inside);
    return place;
  }

  std::filesystem::path path_, inside_;
  std::shared_ptr<FilesOnce> files_;
};

inline bool regular_file_exists(const Place& place) {
  return place.on_disk() ? file_type_of(place.path()) == std::filesystem::file_type::regular
                         : place.find().has_value();
}

/// Anything, a directory included. Files in memory have no directories but those that are asked
/// for.
inline bool file_exists(const Place& place) {
  return place.on_disk() ? file_type_of(place.path()) != std::filesystem::file_type::not_found
                         : place.find().has_value();
}

inline bool directory_exists(const Place& place) {
  return place.on_disk() ? file_type_of(place.path()) == std::filesystem::file_type::directory
                         : !place.find().has_value();
}

/// Throws as MappedFile's constructor does.
inline MappedFile map_file(const Place& place,
                           std::size_t most_bytes = std::numeric_limits<std::size_t>::max()) {
  if (place.on_disk()) return MappedFile(place.path(), most_bytes);
  const std::optional<FileBytes>& file = place.find();
  if (!file) throw IoError("there is no such file", {.file = place.string()});
  return MappedFile::of_memory(*file, place.path(), most_bytes);
}

/// A file of text: a configuration, a vocabulary, an index. Throws FormatError where it is larger
/// than any of those is (budget::text_file).
inline MappedFile map_text_file(const Place& place) {
  return map_file(place, budget::kTextFile);
}

}  // namespace klue::detail
