#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace klue::detail {

/// Calls `visit` with every key and value of a LevelDB table, which is what TensorFlow keeps the
/// index of a checkpoint in, in the order of the keys.
/// Format: https://github.com/google/leveldb/blob/main/doc/table_format.md.
///
/// The checksum of every block is compared. Throws FormatError where the table is damaged or its
/// keys are not in strictly rising order. Memory: one block at a time.
void read_sorted_table(
    const std::filesystem::path& file, std::span<const std::byte> bytes,
    const std::function<void(std::string_view key, std::span<const std::byte> value)>& visit);

}  // namespace klue::detail
