#pragma once

#include <filesystem>
#include <functional>

namespace klue::hub::detail {

/// Holds a lock file, as Python's `filelock` does it, and so with it: flock on a file that stays
/// behind. The system frees it when the process ends, however it ends.
class FileLock {
 public:
  /// Waits until nobody else holds it, and calls `waiting` a few times a second meanwhile. Throws
  /// IoError where the file cannot be made or locked.
  FileLock(const std::filesystem::path& file, const std::function<void()>& waiting);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int descriptor_;
};

}  // namespace klue::hub::detail
