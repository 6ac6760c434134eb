#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include <klue/core/detail/mapped_file.hpp>

namespace klue::detail {

/// Unpacks a gzip file (RFC 1952), whose bytes are given, into a file without a name. Lengths and
/// checksums are compared. Throws FormatError where it is damaged, cut short or grows beyond what
/// weights can, IoError where there is no room for it, UnsupportedError in a build without zlib.
MappedFile gunzip(const std::filesystem::path& file, std::span<const std::byte> compressed);

}  // namespace klue::detail
