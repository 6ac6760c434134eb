#include "common/output_file.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/core/error.hpp>

#include "common/stop_signals.hpp"

namespace tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{1} << 16;

// Where a chain of links leads, whether or not there is a file yet.
fs::path followed(fs::path path) {
  std::error_code error;
  for (int links = 0; links < 40 && fs::is_symlink(path, error); ++links) {
    const fs::path to = fs::read_symlink(path, error);
    path = to.is_absolute() ? to : path.parent_path() / to;
  }
  return path;
}

[[noreturn]] void fail_to_write(const std::string& name, int error) {
  throw klue::IoError("cannot write",
                      {.file = name, .actual = std::generic_category().message(error)});
}

// No model is made of these: an older result may lie among its files.
bool is_result(const fs::path& file) {
  const fs::path extension = file.extension();
  for (const char* result : {".npy", ".fbin", ".jsonl", ".csv", ".f32", ".svg", ".partial"})
    if (extension == result) return true;
  return false;
}

void write_all(int descriptor, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      fail_to_write(name, errno);
  }
}

}  // namespace

OutputFile::OutputFile(const std::string& name, bool keep)
    : name_(name == "-" ? "standard output" : name), keep_(keep) {
  if (name == "-") {
    descriptor_ = STDOUT_FILENO;
    const int flags = ::fcntl(descriptor_, F_GETFL);
    struct stat status {};
    if (flags < 0 || ::fstat(descriptor_, &status) != 0) fail(errno);
    if ((flags & O_ACCMODE) == O_RDONLY) fail(EBADF);  // closed; see guard_standard_streams
    if (S_ISREG(status.st_mode) && (flags & O_APPEND) == 0) {
      begin_ = static_cast<std::uint64_t>(::lseek(descriptor_, 0, SEEK_CUR));
      patchable_ = true;
    }
    return;
  }
  const fs::path target = followed(name);
  struct stat status {};
  const bool exists = ::stat(target.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    open_directly(name);
    return;
  }
  target_ = target;
  partial_ = target.string() + ".partial";
  open_partial(keep);
  if (exists) ::fchmod(descriptor_, status.st_mode & 07777);
}

void OutputFile::open_directly(const std::string& name) {
  descriptor_ = ::open(name.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(errno);
  owned_ = true;
}

void OutputFile::open_partial(bool keep) {
  for (;;) {
    descriptor_ = ::open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail(errno);
    owned_ = true;
    // The lock goes with the descriptor, however the process ends.
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      ::close(std::exchange(descriptor_, -1));
      throw klue::IoError("another run is writing this file", {.file = partial_.string()});
    }
    // A run that has just finished may have renamed it under our hands.
    struct stat opened {
    }, named{};
    if (::fstat(descriptor_, &opened) == 0 && ::stat(partial_.c_str(), &named) == 0 &&
        opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
      break;
    ::close(std::exchange(descriptor_, -1));
  }
  patchable_ = true;
  if (keep)
    size_ = static_cast<std::uint64_t>(::lseek(descriptor_, 0, SEEK_END));
  else if (::ftruncate(descriptor_, 0) != 0)
    fail(errno);
}

OutputFile::~OutputFile() {
  if (!finished_ && !keep_ && !partial_.empty() && descriptor_ >= 0) ::unlink(partial_.c_str());
  if (owned_ && descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::write(std::string_view bytes) {
  buffer_.append(bytes);
  size_ += bytes.size();
  if (buffer_.size() >= kBlock) flush();
}

void OutputFile::flush() {
  put(buffer_);
  buffer_.clear();
}

void OutputFile::put(std::string_view bytes) {
  // Behind a failure nobody knows how much has been written.
  if (broken_ != 0) fail(broken_);
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      fail(errno);
  }
}

void OutputFile::patch(std::string_view bytes, std::uint64_t position) {
  flush();
  while (!bytes.empty()) {
    const auto written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(begin_ + position));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    position += static_cast<std::uint64_t>(written);
  }
}

void OutputFile::sync() {
  flush();
  if (!partial_.empty() && ::fdatasync(descriptor_) != 0) fail(errno);
}

void OutputFile::truncate(std::uint64_t size) {
  flush();
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0 ||
      ::lseek(descriptor_, static_cast<off_t>(size), SEEK_SET) < 0)
    fail(errno);
  size_ = size;
}

void OutputFile::finish() {
  flush();
  if (!partial_.empty()) {
    sync();
    if (::rename(partial_.c_str(), target_.c_str()) != 0) fail(errno);
    sync_folder_of(target_);
  } else if (owned_) {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
  }
  finished_ = true;
}

void OutputFile::fail(int error) {
  broken_ = error;
  // Who reads a pipe has seen enough; that is how programs in a pipe end, without a word.
  if (error == EPIPE) die_of(SIGPIPE);
  fail_to_write(name_, error);
}

void sync_folder_of(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);  // some file systems cannot, and need not
  ::close(descriptor);
}

void replace_file(const fs::path& file, std::string_view content) {
  const std::string beside = file.string() + ".new";
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_to_write(beside, errno);
  try {
    write_all(descriptor, content, beside);
    if (::fdatasync(descriptor) != 0) fail_to_write(beside, errno);
    if (::rename(beside.c_str(), file.c_str()) != 0) fail_to_write(file.string(), errno);
  } catch (...) {
    ::unlink(beside.c_str());
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
  sync_folder_of(file);
}

void refuse_same_file(const std::string& output, const fs::path& input, const char* what,
                      const char* option) {
  struct stat in {};
  const bool is_stdin = input == "-";
  if ((is_stdin ? ::fstat(STDIN_FILENO, &in) : ::stat(input.c_str(), &in)) != 0 ||
      !S_ISREG(in.st_mode))
    return;
  const auto same = [&](const struct stat& out) {
    return out.st_dev == in.st_dev && out.st_ino == in.st_ino;
  };
  struct stat out {};
  if (output == "-") {
    if (::fstat(STDOUT_FILENO, &out) != 0 || !same(out)) return;
  } else if (!(::stat(output.c_str(), &out) == 0 && same(out)) &&
             !(::stat((followed(output).string() + ".partial").c_str(), &out) == 0 && same(out))) {
    return;
  }
  throw klue::UsageError(std::string("the output would replace ") + what,
                         {.file = output == "-" ? "standard output" : output,
                          .expected = std::string("another ") + option,
                          .actual = is_stdin ? "standard input" : input.string()});
}

void refuse_file_of(const std::string& output, const fs::path& folder, const char* what,
                    const char* option) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return refuse_same_file(output, folder, what, option);
  auto entries = fs::recursive_directory_iterator(
      folder, fs::directory_options::skip_permission_denied, error);
  for (int seen = 0; !error && entries != fs::recursive_directory_iterator() && seen < 10'000;
       ++seen) {
    if (!is_result(entries->path())) refuse_same_file(output, entries->path(), what, option);
    entries.increment(error);
  }
}

}  // namespace tools
