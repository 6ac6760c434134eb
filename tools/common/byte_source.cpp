#include "common/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/core/error.hpp>

namespace tools {
namespace {

[[noreturn]] void fail_to_read(const std::string& name, const char* message, int error) {
  throw klue::IoError(message, {.file = name, .actual = std::generic_category().message(error)});
}

// An eventfd that becomes readable when the token stops: what poll can wait for.
class StopDescriptor {
 public:
  explicit StopDescriptor(const std::stop_token& stop)
      : descriptor_(::eventfd(0, EFD_CLOEXEC)), callback_(stop, Wake{descriptor_}) {}
  ~StopDescriptor() { ::close(descriptor_); }
  StopDescriptor(const StopDescriptor&) = delete;
  StopDescriptor& operator=(const StopDescriptor&) = delete;

  int get() const { return descriptor_; }

 private:
  struct Wake {
    int descriptor;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(descriptor, &one, sizeof one);
    }
  };
  int descriptor_;
  std::stop_callback<Wake> callback_;
};

class FileSource final : public ByteSource {
 public:
  FileSource(int descriptor, bool owned, std::string name, std::stop_token stop)
      : descriptor_(descriptor), owned_(owned), name_(std::move(name)), stop_(std::move(stop)) {
    struct stat status {};
    // Regular files are always ready; poll would be a call for nothing.
    waits_ = ::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode);
    if (waits_) wake_.emplace(stop_);
  }
  ~FileSource() override {
    if (owned_) ::close(descriptor_);
  }

  std::size_t read(std::span<char> bytes) override {
    for (;;) {
      if (waits_) wait();
      const auto count = ::read(descriptor_, bytes.data(), bytes.size());
      if (count >= 0) {
        position_ += static_cast<std::uint64_t>(count);
        return static_cast<std::size_t>(count);
      }
      if (errno != EINTR && errno != EAGAIN) fail_to_read(name_, "cannot read on", errno);
    }
  }

  bool ready() override {
    if (!waits_) return true;
    pollfd file{descriptor_, POLLIN, 0};
    return ::poll(&file, 1, 0) > 0;
  }

  std::uint64_t position() const override { return position_; }

 private:
  void wait() const {
    pollfd files[2] = {{descriptor_, POLLIN, 0}, {wake_->get(), POLLIN, 0}};
    while (::poll(files, 2, -1) < 0)
      if (errno != EINTR) fail_to_read(name_, "cannot wait for input", errno);
    if (stop_.stop_requested()) throw klue::StoppedError();
  }

  int descriptor_;
  bool owned_, waits_ = false;
  std::string name_;
  std::stop_token stop_;
  std::optional<StopDescriptor> wake_;
  std::uint64_t position_ = 0;
};

}  // namespace

std::string display_name(const std::string& file) {
  return file == "-" ? "standard input" : file;
}

std::unique_ptr<ByteSource> open_file(const std::string& file, std::stop_token stop) {
  if (file == "-")
    return std::make_unique<FileSource>(STDIN_FILENO, false, display_name(file), std::move(stop));
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_to_read(file, "cannot open the file", errno);
  auto source = std::make_unique<FileSource>(descriptor, true, file, std::move(stop));
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
    throw klue::IoError("is a directory, not a file of texts", {.file = file});
  return source;
}

std::string_view HeadSource::head(std::size_t most) {
  while (head_.size() - begin_ < most) {
    const std::string_view have = std::string_view(head_).substr(begin_);
    if (have.find('\n') != have.npos && !source_->ready()) break;
    const std::size_t before = head_.size();
    head_.resize(begin_ + most);
    const std::size_t count = source_->read(std::span(head_).subspan(before));
    head_.resize(before + count);
    if (count == 0) break;
  }
  return std::string_view(head_).substr(begin_, most);
}

void HeadSource::skip(std::size_t count) {
  begin_ += count;
}

std::size_t HeadSource::read(std::span<char> bytes) {
  if (begin_ == head_.size()) return source_->read(bytes);
  const std::size_t count = std::min(bytes.size(), head_.size() - begin_);
  std::memcpy(bytes.data(), head_.data() + begin_, count);
  begin_ += count;
  return count;
}

}  // namespace tools
