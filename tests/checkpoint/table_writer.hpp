#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/checkpoint/detail/crc.hpp>

#include "checkpoint/zip_writer.hpp"

namespace klue::test {

inline std::uint32_t masked_crc(std::string_view text) {
  return klue::detail::masked_crc32c(std::as_bytes(std::span(text)));
}

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7)
    out += static_cast<char>(value | 128);
  return out + static_cast<char>(value);
}

/// A protocol buffer field with a number or with bytes.
inline std::string proto(std::uint64_t field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
inline std::string proto(std::uint64_t field, std::string_view bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
inline std::string proto_fixed32(std::uint64_t field, std::uint32_t value) {
  return varint(field << 3 | 5) + little_endian(value);
}

/// An entry of a block, its key not shared with the one before.
inline std::string block_entry(std::string_view key, std::string_view value,
                               std::uint64_t shared = 0) {
  return varint(shared) + varint(key.size()) + varint(value.size()) + std::string(key) +
         std::string(value);
}

/// Entries with the one restart that every block has at least.
inline std::string block(std::string_view entries) {
  return std::string(entries) + little_endian(0u) + little_endian(1u);
}

/// A LevelDB table under construction.
class TableWriter {
 public:
  /// Adds a block as it is and gives its handle.
  std::string add(std::string_view content, char compression = 0,
                  std::optional<std::uint32_t> crc = {}) {
    const std::string stored = std::string(content) + compression;
    const std::string handle = varint(bytes_.size()) + varint(content.size());
    bytes_ += stored + little_endian(crc.value_or(masked_crc(stored)));
    return handle;
  }

  /// The whole file, given the handle of the index block.
  std::string finish(const std::string& index_handle,
                     std::uint64_t magic = 0xdb4775248b80fb57) const {
    std::string footer = varint(0) + varint(0) + index_handle;
    footer.resize(40, '\0');
    return bytes_ + footer + little_endian(magic);
  }

 private:
  std::string bytes_;
};

/// A table of these entries in one block.
inline std::string table(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string content;
  for (const auto& [key, value] : entries)
    content += block_entry(key, value);
  TableWriter writer;
  const std::string data = writer.add(block(content));
  return writer.finish(writer.add(block(block_entry("~", data))));
}

}  // namespace klue::test
