// The input is read as a tar archive, and as the gzip file of one.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include <klue/checkpoint/detail/gzip.hpp>
#include <klue/checkpoint/detail/tar.hpp>
#include <klue/core/error.hpp>

namespace {

void read(std::span<const std::byte> bytes, std::size_t file_size) {
  std::size_t sum = 0;
  for (const auto& [path, content] : klue::detail::read_tar("fuzz", bytes, file_size))
    for (const std::byte byte : content)
      sum += std::to_integer<std::size_t>(byte);
  if (sum == ~std::size_t{0}) std::abort();  // never, but the compiler must read it all
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    read(bytes, size);
  } catch (const klue::Error&) {
  }
  try {
    const klue::detail::MappedFile plain = klue::detail::gunzip("fuzz", bytes);
    read(plain.bytes(), size);
  } catch (const klue::Error&) {
  }
  return 0;
}
