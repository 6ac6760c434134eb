#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace klue::detail {

/// Throws FormatError where the bytes are not weights at all but what a clone without Git LFS or a
/// failed download leaves in their place, saying which and what to do about it.
void refuse_placeholder(const std::filesystem::path& file, std::span<const std::byte> bytes);

}  // namespace klue::detail
