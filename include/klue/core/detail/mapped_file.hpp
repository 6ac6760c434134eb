#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/core/error.hpp>
#include <klue/core/files.hpp>

namespace klue::detail {

/// A whole file mapped read-only into memory: pages are read when they are first touched and are
/// shared with the page cache. The file must not shrink while it is mapped. Or the bytes of a file
/// that a caller has in memory.
///
/// Only inline functions: klue_hub, which is linked by itself, compiles its own.
class MappedFile {
 public:
  MappedFile() = default;

  /// Throws IoError when the file cannot be opened or mapped, or is no regular file: a FIFO does
  /// not make this wait. Throws FormatError where it has more than `most_bytes`.
  explicit MappedFile(const std::filesystem::path& path,
                      std::size_t most_bytes = std::numeric_limits<std::size_t>::max()) {
    struct Descriptor {
      int value;
      ~Descriptor() {
        if (value >= 0) ::close(value);
      }
    };
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.value < 0) fail("cannot open the file", path);
    *this = of_descriptor(file.value, path, most_bytes);
  }

  /// The file that is open under a descriptor, which may be closed afterwards. `name` is what
  /// errors call it.
  static MappedFile of_descriptor(
      int descriptor, const std::filesystem::path& name,
      std::size_t most_bytes = std::numeric_limits<std::size_t>::max()) {
    MappedFile result;
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) fail("cannot read the file's size", name);
    if (!S_ISREG(status.st_mode)) throw IoError("not a regular file", {.file = name.string()});
    const auto size = static_cast<std::size_t>(status.st_size);
    check_size(size, most_bytes, name);
    if (size == 0) return result;  // mmap refuses empty files; an empty span says the same
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) fail("cannot map the file into memory", name);
    result.data_ = static_cast<const std::byte*>(data);
    result.size_ = size;
    return result;
  }

  /// Bytes that are somebody else's.
  static MappedFile of_memory(const FileBytes& file, const std::filesystem::path& name,
                              std::size_t most_bytes = std::numeric_limits<std::size_t>::max()) {
    check_size(file.bytes.size(), most_bytes, name);
    MappedFile result;
    result.data_ = file.bytes.data();
    result.size_ = file.bytes.size();
    result.owner_ = file.owner;
    result.mapped_ = false;
    return result;
  }

  MappedFile(MappedFile&& other) noexcept { swap(other); }
  MappedFile& operator=(MappedFile&& other) noexcept {
    swap(other);
    return *this;
  }
  ~MappedFile() {
    if (mapped_ && data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  }

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

  /// Whether the bytes are a mapping of this object's, not memory of a caller's.
  bool is_mapping() const noexcept { return mapped_; }

  /// Tells the system that the bytes will not be read soon; nothing where they are a caller's.
  void release() const noexcept {
    if (mapped_) release(bytes());
  }

  /// Tells the system that these bytes of a mapping will not be read soon, so that they stop
  /// counting as this process's memory. Reading them again is still right, only slower. Of memory
  /// that is no mapping of a file they would be lost.
  static void release(std::span<const std::byte> bytes) noexcept {
    // Only whole pages inside the span: its neighbours may be in use.
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
    const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size()) / page * page;
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }

 private:
  [[noreturn]] static void fail(const char* message, const std::filesystem::path& path) {
    // What the system has no memory for is no fault of the file.
    if (errno == ENOMEM) throw std::bad_alloc();
    throw IoError(message,
                  {.file = path.string(), .actual = std::generic_category().message(errno)});
  }

  static void check_size(std::size_t size, std::size_t most_bytes,
                         const std::filesystem::path& name) {
    if (size > most_bytes)
      throw FormatError("the file is too large for what it is",
                        {.file = name.string(),
                         .expected = "at most " + std::to_string(most_bytes) + " bytes",
                         .actual = std::to_string(size)});
  }

  void swap(MappedFile& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(owner_, other.owner_);
    std::swap(mapped_, other.mapped_);
  }

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<const void> owner_{};
  bool mapped_ = true;
};

}  // namespace klue::detail
