#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace klue::detail {

/// CRC-32 of ZIP and zlib (reflected polynomial 0xEDB88320), continued from `crc`.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// CRC-32C of iSCSI (RFC 3720, reflected polynomial 0x82F63B78), continued from `crc`. Uses the
/// CPU's instruction for it where there is one.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// The same without that instruction.
std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// How LevelDB and TensorFlow store a CRC-32C, so that the CRC of data with CRCs in it stays good.
inline std::uint32_t mask_crc32c(std::uint32_t crc) noexcept {
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}
inline std::uint32_t masked_crc32c(std::span<const std::byte> bytes) noexcept {
  return mask_crc32c(crc32c(bytes));
}

}  // namespace klue::detail
