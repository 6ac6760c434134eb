#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace klue::detail {

/// Decompresses one Snappy block. Throws FormatError where it is broken or claims to be larger than
/// its bytes can make it, and UnsupportedError in a build without Snappy.
std::vector<std::byte> snappy_decompress(const std::filesystem::path& file,
                                         std::span<const std::byte> compressed);

}  // namespace klue::detail
