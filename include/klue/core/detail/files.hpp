#pragma once

#include <filesystem>
#include <system_error>

#include <klue/core/error.hpp>

namespace klue::detail {

// std::filesystem's own functions throw errors of their own kind where a link leads in circles, a
// name is too long or a folder may not be read; these say it as the library does.

inline std::filesystem::file_status file_status(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::none)
    throw IoError("cannot look at the file", {.file = path.string(), .actual = error.message()});
  return status;
}

/// Throws IoError where the system cannot tell.
inline bool file_exists(const std::filesystem::path& path) {
  return std::filesystem::exists(file_status(path));
}

/// False also where there is nothing. Throws IoError where the system cannot tell.
inline bool directory_exists(const std::filesystem::path& path) {
  return std::filesystem::is_directory(file_status(path));
}
inline bool regular_file_exists(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(file_status(path));
}

}  // namespace klue::detail
