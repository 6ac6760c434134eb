#pragma once

#include <filesystem>
#include <string>

namespace klue::hub::detail {

/// SHA-256 of a file, in lower-case hexadecimal: the ETag of what the hub keeps with git LFS.
std::string sha256_of(const std::filesystem::path& file);

/// The hash by which git knows a file's content: the ETag of everything else. SHA-1 of a header and
/// the content (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
std::string git_hash_of(const std::filesystem::path& file);

}  // namespace klue::hub::detail
