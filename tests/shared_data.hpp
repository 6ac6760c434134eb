#pragma once

#include <filesystem>
#include <optional>

/// Reference data that is not part of the repository: looked for beside the checkout, or where the
/// CMake variable KLUE_SHARED_DIR says.
namespace klue::test {

/// A file or folder of the shared data; none where it is not there.
inline std::optional<std::filesystem::path> shared_data(const std::filesystem::path& relative) {
  const std::filesystem::path path = std::filesystem::path(KLUE_SHARED_DIR) / relative;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

}  // namespace klue::test

/// Declares `variable` as the path of shared data, or skips the test saying what is missing.
#define KLUE_SHARED_DATA_OR_SKIP(variable, relative)                            \
  const auto variable##_found = klue::test::shared_data(relative);              \
  if (!variable##_found)                                                        \
    GTEST_SKIP() << "needs " << (relative) << " under " << KLUE_SHARED_DIR      \
                 << " (set the CMake variable KLUE_SHARED_DIR to where it is)"; \
  const std::filesystem::path variable = *variable##_found
