#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include <klue/checkpoint/detail/archive.hpp>

namespace klue::detail {

/// The regular files of a tar archive whose bytes are given: the formats of POSIX (ustar and pax)
/// and GNU, and the older one. https://www.gnu.org/software/tar/manual/html_node/Standard.html
/// Throws FormatError where the bytes are no such archive, damaged or cut short. `file` is only
/// named in errors. `file_size` bounds what is allocated for the description of the members: it is
/// that of the file on disk, which may be much smaller.
Archive::Members read_tar(const std::filesystem::path& file, std::span<const std::byte> bytes,
                          std::size_t file_size);

}  // namespace klue::detail
