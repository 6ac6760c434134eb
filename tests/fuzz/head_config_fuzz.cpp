// Any bytes as the config.json of a head: what it says is read, or refused with the library's own
// errors.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <klue/core/error.hpp>
#include <klue/model/detail/head.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto config =
        klue::detail::parse_head_config({reinterpret_cast<const char*>(data), size}, "config.json");
    if (!config.has_labels && !config.label_names.empty()) std::abort();
  } catch (const klue::Error&) {
  }
  return 0;
}
