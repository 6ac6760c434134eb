#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <klue/hub/detail/name.hpp>

namespace klue::hub::detail {

/// One repository's folder in a cache, as huggingface_hub lays it out
/// (https://huggingface.co/docs/huggingface_hub/guides/manage-cache):
///
///     models--klue--roberta-base/refs/main                       the commit of a revision
///     models--klue--roberta-base/snapshots/COMMIT/config.json    → ../../blobs/ETAG
///     models--klue--roberta-base/blobs/ETAG                      a whole file
///     models--klue--roberta-base/blobs/ETAG.incomplete           a file on its way
///     models--klue--roberta-base/.no_exist/COMMIT/modules.json   empty: known to be missing
///     .locks/models--klue--roberta-base/ETAG.lock                held by who downloads that file
///
/// Whatever is under a final name is whole: it gets there by a rename.
class CachedRepository {
 public:
  CachedRepository(const std::filesystem::path& cache, const Name& name);

  /// The commit that the revision was when it was last asked for, or that it is itself.
  std::optional<std::string> commit() const;
  void set_commit(const std::string& commit) const;

  std::filesystem::path snapshot(std::string_view commit) const;
  std::filesystem::path blob(std::string_view etag) const { return folder_ / "blobs" / etag; }
  std::filesystem::path incomplete_blob(std::string_view etag) const;
  std::filesystem::path lock_file(std::string_view etag) const;

  /// Puts a blob into a snapshot under a file's name.
  void link(std::string_view commit, const std::string& file, std::string_view etag) const;

  bool is_known_missing(std::string_view commit, std::string_view file) const;
  void set_known_missing(std::string_view commit, std::string_view file) const;

 private:
  std::filesystem::path ref() const { return folder_ / "refs" / name_.revision; }
  std::filesystem::path no_exist(std::string_view commit, std::string_view file) const {
    return folder_ / ".no_exist" / commit / file;
  }

  /// Makes a file by make(temporary name), and gives it its own name then, in one step.
  template <class Make>
  void put(const std::filesystem::path& file, const Make& make) const;

  Name name_;
  std::string folder_name_;
  std::filesystem::path cache_, folder_;
};

/// The beginning of a small file; nothing where it cannot be read. Not by a stream, which would
/// take missing memory for the end of the file, nor by a mapping, which others may shorten.
std::string first_bytes(const std::filesystem::path& path, std::size_t most);

/// Makes the directory that a file goes to. Throws IoError.
void make_parent(const std::filesystem::path& file);

/// Throws IoError with what the system says, as errno has it.
[[noreturn]] void throw_system_error(const char* message, const std::filesystem::path& file);

}  // namespace klue::hub::detail
