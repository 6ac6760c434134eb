#pragma once

#include <filesystem>
#include <optional>

/// Reference data: all of it beside the checkout, or where the CMake variable KLUE_SHARED_DIR says;
/// else the sample of it in tests/data.
namespace klue::test {

inline const std::filesystem::path kSample = std::filesystem::path(KLUE_TEST_DIR) / "data";

/// Whether shared_data() found this in the sample, which has fewer cases.
inline bool is_sample(const std::filesystem::path& found) {
  return found.native().starts_with(kSample.native());
}

/// A file or folder of the shared data, or of its sample; none where it is in neither.
inline std::optional<std::filesystem::path> shared_data(const std::filesystem::path& relative) {
  const std::filesystem::path path = std::filesystem::path(KLUE_SHARED_DIR) / relative;
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path;
  if (std::filesystem::exists(kSample / relative, error)) return kSample / relative;
  return std::nullopt;
}

}  // namespace klue::test

/// Declares `variable` as the path of shared data, or skips the test saying what is missing.
#define KLUE_SHARED_DATA_OR_SKIP(variable, relative)                            \
  const auto variable##_found = klue::test::shared_data(relative);              \
  if (!variable##_found)                                                        \
    GTEST_SKIP() << "needs " << (relative) << " under " << KLUE_SHARED_DIR      \
                 << " (set the CMake variable KLUE_SHARED_DIR to where it is)"; \
  const std::filesystem::path variable = *variable##_found
