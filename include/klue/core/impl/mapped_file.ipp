#include <cerrno>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

[[noreturn]] void throw_io_error(const char* message, const std::filesystem::path& path) {
  throw IoError(message, {.file = path.string(), .actual = std::generic_category().message(errno)});
}

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) throw_io_error("cannot open the file", path);
  *this = of_descriptor(file.value, path);
}

MappedFile MappedFile::of_descriptor(int descriptor, const std::filesystem::path& name) {
  MappedFile result;
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw_io_error("cannot read the file's size", name);
  if (!S_ISREG(status.st_mode)) throw IoError("not a regular file", {.file = name.string()});
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return result;  // mmap refuses empty files; an empty span says the same
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED) throw_io_error("cannot map the file into memory", name);
  result.data_ = static_cast<const std::byte*>(data);
  result.size_ = size;
  return result;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> bytes) noexcept {
  // Only whole pages inside the span: its neighbours may be in use.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace klue::detail
