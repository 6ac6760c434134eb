#include <cstdint>

#include <klue/checkpoint/detail/shard_index.hpp>
#include <klue/core/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    klue::detail::parse_shard_index("fuzz", {reinterpret_cast<const char*>(data), size});
  } catch (const klue::Error&) {
  }
  return 0;
}
