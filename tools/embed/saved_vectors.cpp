#include "saved_vectors.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/core/error.hpp>

namespace embed {
namespace {

struct Extents {
  std::size_t begin = 0, rows = 0, columns = 0;  // first byte of the vectors
};

[[noreturn]] void refuse_vectors(const std::string& file, const char* message,
                                 std::string expected = {}, std::string actual = {}) {
  throw klue::FormatError(
      message, {.file = file, .expected = std::move(expected), .actual = std::move(actual)});
}

// "'shape': (3, 256)" of an npy header.
std::optional<Extents> shape_of(std::string_view header) {
  const std::size_t at = header.find("'shape': (");
  if (at == header.npos) return std::nullopt;
  header.remove_prefix(at + std::strlen("'shape': ("));
  Extents extents;
  const char* const end = header.data() + header.size();
  const auto rows = std::from_chars(header.data(), end, extents.rows);
  if (rows.ec != std::errc() || end - rows.ptr < 2 || rows.ptr[0] != ',' || rows.ptr[1] != ' ')
    return std::nullopt;
  const auto columns = std::from_chars(rows.ptr + 2, end, extents.columns);
  if (columns.ec != std::errc() || columns.ptr == end || *columns.ptr != ')') return std::nullopt;
  return extents;
}

Extents npy_extents(std::string_view bytes, const std::string& file) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 12) refuse_vectors(file, "is cut off");
  const bool one = byte(6) == 1;
  const std::size_t prefix = one ? 10 : 12;
  std::size_t size = byte(8) | std::size_t{byte(9)} << 8;
  if (!one) size |= std::size_t{byte(10)} << 16 | std::size_t{byte(11)} << 24;
  if (size > bytes.size() - prefix) refuse_vectors(file, "is cut off");
  const std::string_view header = bytes.substr(prefix, size);
  std::optional<Extents> extents = shape_of(header);
  if (!extents || header.find("'<f4'") == header.npos ||
      header.find("'fortran_order': False") == header.npos)
    refuse_vectors(file, "is no list of vectors", "float32, C order, [rows, columns]",
                   std::string(header));
  extents->begin = prefix + size;
  return *extents;
}

Extents fbin_extents(std::string_view bytes) {
  std::uint32_t numbers[2] = {};
  if (bytes.size() >= sizeof numbers) std::memcpy(numbers, bytes.data(), sizeof numbers);
  return {sizeof numbers, numbers[0], numbers[1]};
}

}  // namespace

SavedVectors::SavedVectors(const std::string& file) {
  map(file);
  const std::string_view bytes(static_cast<const char*>(mapping_), size_);
  try {
    const Extents extents =
        bytes.starts_with("\x93NUMPY") ? npy_extents(bytes, file) : fbin_extents(bytes);
    std::size_t numbers = 0, length = 0;
    if (__builtin_mul_overflow(extents.rows, extents.columns, &numbers) ||
        __builtin_mul_overflow(numbers, sizeof(float), &length) || extents.columns == 0 ||
        extents.begin > size_ || length != size_ - extents.begin ||
        extents.begin % sizeof(float) != 0)
      refuse_vectors(file, "holds no vectors: neither a whole .npy nor a whole .fbin",
                     "the output of embed --format npy or fbin");
    view_ = {reinterpret_cast<const float*>(bytes.data() + extents.begin), extents.rows,
             extents.columns};
  } catch (...) {
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
    throw;
  }
}

SavedVectors::~SavedVectors() {
  if (mapping_ != nullptr) ::munmap(mapping_, size_);
}

void SavedVectors::map(const std::string& file) {
  const auto fail = [&](int error) {
    throw klue::IoError("cannot open the file",
                        {.file = file, .actual = std::generic_category().message(error)});
  };
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // no FIFO waits
  if (descriptor < 0) fail(errno);
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  size_ = regular ? static_cast<std::size_t>(status.st_size) : 0;
  void* mapping = nullptr;
  int error = regular ? 0 : EINVAL;
  if (size_ != 0) {
    mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping == MAP_FAILED) error = errno;
  }
  ::close(descriptor);
  if (error != 0) fail(error);
  mapping_ = mapping;
}

}  // namespace embed
