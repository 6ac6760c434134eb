#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <klue/core/detail/place.hpp>

namespace klue::detail {

/// The files packed in a .tar or .tar.gz, as the TF-Hub modules are published. Nothing is written
/// under the names that the archive gives: a .tar is mapped as it is, a .tar.gz is unpacked into a
/// file without a name in the folder for temporary files (TMPDIR), which is gone with the last copy
/// of the archive, or with the process, however that ends.
class Archive {
 public:
  using Members = std::map<std::string, std::span<const std::byte>, std::less<>>;

  /// Whether a path ends in .tar, .tar.gz or .tgz.
  static bool has_archive_name(const std::filesystem::path& file);

  /// Throws IoError where the file cannot be read or there is no room to unpack it, FormatError
  /// where it is damaged, cut short or no archive, or unpacks to more than 16 times its size (and
  /// 64 MiB), which no weights do; UnsupportedError for a .tar.gz in a build without zlib.
  static Archive open(const Place& file);

  const std::filesystem::path& file() const noexcept { return file_; }

  /// The regular files by their path, without "./" in front. Views live as long as the archive or
  /// its `owner`.
  const Members& members() const noexcept { return members_; }

  /// The path of the member that is `ending` or ends in "/" and that: the least deep of them.
  std::optional<std::string> locate(std::string_view ending) const;

  /// Whether they are in a mapping, not in a caller's memory.
  bool is_mapped() const noexcept { return mapped_; }

  /// What the members' bytes belong to.
  std::shared_ptr<const void> owner() const noexcept { return owner_; }

 private:
  Archive() = default;

  std::filesystem::path file_;
  Members members_;
  std::shared_ptr<const void> owner_;
  bool mapped_ = false;
};

}  // namespace klue::detail
