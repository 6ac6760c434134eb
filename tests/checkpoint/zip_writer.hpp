#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/checkpoint/detail/crc.hpp>

namespace klue::test {

template <class Number>
std::string little_endian(Number value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// One entry of a ZIP archive; what is set beyond name and content makes it wrong or unusual.
struct ZipEntry {
  std::string name, content;
  std::uint16_t method = 0, flags = 0;
  std::optional<std::uint32_t> crc{};
  std::optional<std::uint32_t> size{}, compressed_size{}, offset{};  ///< in the directory
  std::optional<std::string> local_name{};
  std::optional<std::uint32_t> local_size{};
  std::optional<std::uint16_t> local_method{};
  std::string extra{}, local_extra{};
};

struct ZipEnd {
  bool zip64 = false;
  std::optional<std::uint64_t> entries{}, size{}, offset{}, record_offset{};
  std::string comment{}, after_directory{};
};

/// A ZIP archive of stored entries, by APPNOTE.TXT sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16.
inline std::string zip(const std::vector<ZipEntry>& entries, const ZipEnd& end = {}) {
  std::string archive, directory;
  for (const ZipEntry& entry : entries) {
    const auto size = static_cast<std::uint32_t>(entry.content.size());
    const std::uint32_t crc =
        entry.crc.value_or(klue::detail::crc32(std::as_bytes(std::span(entry.content))));
    const std::string local_name = entry.local_name.value_or(entry.name);
    const auto offset = static_cast<std::uint32_t>(archive.size());
    archive += little_endian(0x04034b50u) + little_endian(std::uint16_t{20}) +
               little_endian(entry.flags) +
               little_endian(entry.local_method.value_or(entry.method)) + little_endian(0u) +
               little_endian(crc) + little_endian(entry.local_size.value_or(size)) +
               little_endian(entry.local_size.value_or(size)) +
               little_endian(static_cast<std::uint16_t>(local_name.size())) +
               little_endian(static_cast<std::uint16_t>(entry.local_extra.size())) + local_name +
               entry.local_extra + entry.content;
    directory += little_endian(0x02014b50u) + little_endian(0x00140014u) +
                 little_endian(entry.flags) + little_endian(entry.method) + little_endian(0u) +
                 little_endian(crc) + little_endian(entry.compressed_size.value_or(size)) +
                 little_endian(entry.size.value_or(size)) +
                 little_endian(static_cast<std::uint16_t>(entry.name.size())) +
                 little_endian(static_cast<std::uint16_t>(entry.extra.size())) +
                 little_endian(std::uint16_t{0}) + little_endian(std::uint64_t{0}) +
                 little_endian(entry.offset.value_or(offset)) + entry.name + entry.extra;
  }
  const std::uint64_t count = end.entries.value_or(entries.size());
  const std::uint64_t size = end.size.value_or(directory.size());
  const std::uint64_t offset = end.offset.value_or(archive.size());
  archive += directory + end.after_directory;
  if (end.zip64) {
    const std::uint64_t record = archive.size();
    archive += little_endian(0x06064b50u) + little_endian(std::uint64_t{44}) +
               little_endian(0x002d002du) + little_endian(std::uint64_t{0}) + little_endian(count) +
               little_endian(count) + little_endian(size) + little_endian(offset) +
               little_endian(0x07064b50u) + little_endian(0u) +
               little_endian(end.record_offset.value_or(record)) + little_endian(1u);
  }
  const auto narrow = [&](std::uint64_t value, std::uint64_t all_ones) {
    return end.zip64 ? all_ones : value;
  };
  archive += little_endian(0x06054b50u) + little_endian(0u) +
             little_endian(static_cast<std::uint16_t>(narrow(count, 0xffff))) +
             little_endian(static_cast<std::uint16_t>(narrow(count, 0xffff))) +
             little_endian(static_cast<std::uint32_t>(narrow(size, 0xffffffff))) +
             little_endian(static_cast<std::uint32_t>(narrow(offset, 0xffffffff))) +
             little_endian(static_cast<std::uint16_t>(end.comment.size())) + end.comment;
  return archive;
}

}  // namespace klue::test
