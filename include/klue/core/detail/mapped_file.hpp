#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

namespace klue::detail {

/// A whole file mapped read-only into memory: pages are read when they are first touched and are
/// shared with the page cache. The file must not shrink while it is mapped.
class MappedFile {
 public:
  MappedFile() = default;

  /// Throws IoError when the file cannot be opened or mapped, or is no regular file.
  explicit MappedFile(const std::filesystem::path& path);

  /// The file that is open under a descriptor, which may be closed afterwards. `name` is what
  /// errors call it.
  static MappedFile of_descriptor(int descriptor, const std::filesystem::path& name);

  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedFile();

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

  /// Tells the system that these bytes of a mapping will not be read soon, so that they stop
  /// counting as this process's memory. Reading them again is still right, only slower.
  static void release(std::span<const std::byte> bytes) noexcept;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace klue::detail
