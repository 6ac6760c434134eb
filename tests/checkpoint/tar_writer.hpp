#pragma once

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "checkpoint/scratch_directory.hpp"

namespace klue::test {

/// One member of a tar archive; what is set beyond name and content makes it wrong or unusual.
struct TarEntry {
  std::string name, content;
  char type = '0';
  std::string prefix{};
  std::string size{};          ///< as it stands in the header; empty: that of the content
  bool posix = true;           ///< ustar, else GNU's magic
  bool right_checksum = true;  ///< of the header
};

/// A member by https://www.gnu.org/software/tar/manual/html_node/Standard.html, padded to blocks.
inline std::string tar_member(const TarEntry& entry) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    header.replace(at, text.size(), text);
  };
  const auto octal = [](std::size_t value) {
    std::array<char, 16> digits;
    return std::string(digits.data(), static_cast<std::size_t>(std::snprintf(
                                          digits.data(), digits.size(), "%011zo", value)));
  };
  put(0, entry.name);
  put(100, "0000644");
  put(124, entry.size.empty() ? octal(entry.content.size()) : entry.size);
  put(136, octal(0));
  header[156] = entry.type;
  put(257, entry.posix ? std::string_view("ustar\00000", 8) : std::string_view("ustar  \0", 8));
  put(345, entry.prefix);
  put(148, "        ");
  std::size_t sum = entry.right_checksum ? 0 : 1;
  for (const char byte : header)
    sum += static_cast<unsigned char>(byte);
  put(148, octal(sum).substr(5));
  header[154] = '\0';
  return header + entry.content + std::string((512 - entry.content.size() % 512) % 512, '\0');
}

/// A whole archive, with the two blocks of zeros that end it.
inline std::string tar(const std::vector<TarEntry>& entries) {
  std::string archive;
  for (const TarEntry& entry : entries)
    archive += tar_member(entry);
  return archive + std::string(1024, '\0');
}

/// The files of a folder, each under `prefix`, as `tar -cf` packs them.
inline std::vector<TarEntry> tar_entries(const std::filesystem::path& folder,
                                         const std::string& prefix = "./") {
  std::vector<TarEntry> entries{{.name = prefix, .content = {}, .type = '5'}};
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = prefix + file.path().lexically_relative(folder).string();
    if (std::error_code error; file.is_directory(error))
      entries.push_back({.name = name + "/", .content = {}, .type = '5'});
    else
      entries.push_back({.name = name, .content = read_bytes(file.path())});
  }
  return entries;
}

}  // namespace klue::test
