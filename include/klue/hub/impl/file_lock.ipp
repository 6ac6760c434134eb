#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/hub/detail/cache.hpp>
#include <klue/hub/detail/file_lock.hpp>

namespace klue::hub::detail {
namespace {

constexpr std::chrono::milliseconds kBetweenTries{100};

/// Some versions of `filelock` remove the file when they are done; a lock on a removed file keeps
/// nobody out.
bool is_still(int descriptor, const std::filesystem::path& file) {
  struct stat held {
  }, named{};
  return ::fstat(descriptor, &held) == 0 && ::stat(file.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& file, const std::function<void()>& waiting) {
  make_parent(file);
  while (true) {
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_system_error("cannot open the lock file", file);
    try {
      while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) throw_system_error("cannot lock the file", file);
        waiting();
        std::this_thread::sleep_for(kBetweenTries);
      }
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
    if (is_still(descriptor_, file)) return;
    ::close(descriptor_);
  }
}

FileLock::~FileLock() {
  ::close(descriptor_);
}

}  // namespace klue::hub::detail
