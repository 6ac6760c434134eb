#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace klue::detail {

/// The directory of a ZIP archive whose entries are stored without compression, so that they can be
/// used where they lie in the mapped file. General-purpose ZIP libraries only copy entries out.
/// Format: PKWARE APPNOTE.TXT 6.3, sections 4.3 (structure) and 4.5.3 (ZIP64).
class ZipArchive {
 public:
  struct Entry {
    std::uint64_t header_offset;
    std::uint64_t compressed_size, size;
    std::uint32_t crc;
    std::uint16_t method, flags;
  };

  /// Reads the central directory. Throws FormatError where there is none, where it contradicts
  /// itself, or where two entries have one name. `file` is for the errors
  /// only.
  ZipArchive(const std::filesystem::path& file, std::span<const std::byte> bytes);

  /// By their full names.
  const std::map<std::string, Entry, std::less<>>& entries() const noexcept { return entries_; }

  /// The content of an entry, nothing of that name being a FormatError. Throws UnsupportedError
  /// where it is compressed or encrypted and FormatError where its local header contradicts the
  /// directory, it reaches into the next entry, or, if asked to look, its CRC-32 is wrong.
  std::span<const std::byte> read(std::string_view name, bool verify_crc) const;

 private:
  std::filesystem::path file_;
  std::span<const std::byte> bytes_;
  std::vector<std::uint64_t> begins_;  // of the entries, rising, and of the directory
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace klue::detail
