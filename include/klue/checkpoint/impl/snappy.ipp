#include <klue/checkpoint/detail/snappy.hpp>
#include <klue/core/error.hpp>

#if KLUE_WITH_SNAPPY
#include <snappy-c.h>
#endif

namespace klue::detail {

#if KLUE_WITH_SNAPPY

std::vector<std::byte> snappy_decompress(const std::filesystem::path& file,
                                         std::span<const std::byte> compressed) {
  // The best that the format can do is a copy of 64 bytes in an element of 3
  // (https://github.com/google/snappy/blob/main/format_description.txt).
  const std::size_t limit = compressed.size() / 3 * 64 + 64;
  const auto* const from = reinterpret_cast<const char*>(compressed.data());
  std::size_t size = 0;
  if (snappy_uncompressed_length(from, compressed.size(), &size) != SNAPPY_OK || size > limit)
    throw FormatError("a block has no valid Snappy length", {.file = file.string()});
  std::vector<std::byte> plain(size);
  if (snappy_uncompress(from, compressed.size(), reinterpret_cast<char*>(plain.data()), &size) !=
      SNAPPY_OK)
    throw FormatError("a block is no valid Snappy data", {.file = file.string()});
  return plain;
}

#else

std::vector<std::byte> snappy_decompress(const std::filesystem::path& file,
                                         std::span<const std::byte>) {
  throw UnsupportedError("the file is compressed with Snappy, and this build is without it",
                         {.file = file.string()});
}

#endif

}  // namespace klue::detail
