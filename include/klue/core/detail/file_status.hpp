#pragma once

#include <filesystem>
#include <system_error>

#include <klue/core/error.hpp>

namespace klue::detail {

/// What is under a path, links followed; file_type::not_found where nothing is. Throws IoError
/// where the system does not tell: links in a circle, no permission, a name that is too long.
///
/// This and what follows takes the place of std::filesystem's own, whose filesystem_error is no
/// error of ours, and whose other form takes what it cannot see for absent.
inline std::filesystem::file_type file_type_of(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::none)
    throw IoError("cannot see what is there", {.file = path.string(), .actual = error.message()});
  return type;
}

/// Against the working directory, without "." and "..". Throws IoError where there is none.
inline std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error)
    throw IoError("cannot find the way there", {.file = path.string(), .actual = error.message()});
  return absolute.lexically_normal();
}

}  // namespace klue::detail
