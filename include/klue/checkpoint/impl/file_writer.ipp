#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <klue/checkpoint/detail/file_writer.hpp>
#include <klue/checkpoint/safetensors_writer.hpp>
#include <klue/core/error.hpp>

namespace klue {
namespace {

[[noreturn]] void refuse_to_write(const std::filesystem::path& file) {
  throw IoError("cannot write", {.file = file.string(), .actual = std::strerror(errno)});
}

// So that a name is on the disk, its folder has to be.
void sync_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) refuse_to_write(folder);
  // Some file systems cannot sync a folder, and lose nothing by it.
  (void)::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

namespace detail {

FileWriter::FileWriter(std::filesystem::path file) : file_(std::move(file)), part_(file_) {
  part_ += ".part-" + std::to_string(::getpid());
  descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) refuse_to_write(file_);
}

FileWriter::~FileWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_.c_str());
}

void FileWriter::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB at a time.
    const ssize_t written =
        ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1u << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse_to_write(file_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void FileWriter::commit() {
  if (::fsync(descriptor_) != 0) refuse_to_write(file_);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 || ::rename(part_.c_str(), file_.c_str()) != 0) {
    const int error = errno;
    ::unlink(part_.c_str());
    errno = error;
    refuse_to_write(file_);
  }
  sync_folder_of(file_);
}

}  // namespace detail

void write_whole_file(const std::filesystem::path& file, std::string_view content) {
  detail::FileWriter writer(file);
  writer.append(std::as_bytes(std::span(content)));
  writer.commit();
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) refuse_to_write(to);
  sync_folder_of(to);
}

}  // namespace klue
