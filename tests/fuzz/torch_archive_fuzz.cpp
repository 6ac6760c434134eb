#include <klue/checkpoint/detail/torch_archive.hpp>

#include "read_all.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    klue::fuzz::read_all(klue::detail::parse_torch_archive("fuzz", bytes, {}), size);
  } catch (const klue::Error&) {
  }
  return 0;
}
