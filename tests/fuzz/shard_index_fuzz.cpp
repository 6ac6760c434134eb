#include <cstdint>

#include <klue/core/error.hpp>

#include "checkpoint/shard_index.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    klue::parse_shard_index("fuzz", {reinterpret_cast<const char*>(data), size});
  } catch (const klue::Error&) {
  }
  return 0;
}
