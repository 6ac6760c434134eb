#include <array>
#include <cstring>

#include <klue/checkpoint/detail/crc.hpp>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace klue::detail {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 16>;

/// tables[k][b]: what byte b does to the remainder when k more bytes follow it.
constexpr Tables make_tables(std::uint32_t polynomial) {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}

/// "Slicing-by-16": sixteen independent look-ups a step instead of a chain of sixteen.
/// Kounavis and Berry, A systematic approach to building high performance software-based CRC
/// generators, ISCC 2005.
std::uint32_t sliced(const Tables& tables, std::span<const std::byte> bytes, std::uint32_t crc) {
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  crc = ~crc;
  for (; end - at >= 16; at += 16) {
    std::array<std::uint32_t, 4> words;
    std::memcpy(words.data(), at, sizeof words);
    words[0] ^= crc;
    crc = 0;
    for (std::size_t word = 0; word < 4; ++word)
      for (std::size_t byte = 0; byte < 4; ++byte)
        crc ^= tables[15 - 4 * word - byte][words[word] >> (8 * byte) & 0xff];
  }
  for (; at != end; ++at)
    crc = crc >> 8 ^ tables[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xff];
  return ~crc;
}

constexpr Tables kCrc32Tables = make_tables(0xEDB88320u);
constexpr Tables kCrc32cTables = make_tables(0x82F63B78u);

#if defined(__x86_64__)

constexpr std::size_t kLaneBytes = 4096;

/// The remainder of a message followed by `lane_bytes` zero bytes, as a linear map of the remainder
/// of the message: shifts[k][b] is what byte k of it contributes.
using Shift = std::array<std::array<std::uint32_t, 256>, 4>;

Shift make_lane_shift() {
  std::array<std::uint32_t, 32> of_bit{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t crc = 1u << bit;
    for (std::size_t i = 0; i < kLaneBytes; ++i)
      crc = crc >> 8 ^ kCrc32cTables[0][crc & 0xff];
    of_bit[bit] = crc;
  }
  Shift shift{};
  for (std::size_t k = 0; k < 4; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      for (std::size_t bit = 0; bit < 8; ++bit)
        if (byte >> bit & 1) shift[k][byte] ^= of_bit[8 * k + bit];
  return shift;
}

std::uint32_t apply(const Shift& shift, std::uint32_t crc) {
  return shift[0][crc & 0xff] ^ shift[1][crc >> 8 & 0xff] ^ shift[2][crc >> 16 & 0xff] ^
         shift[3][crc >> 24];
}

std::uint64_t load64(const std::byte* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The instruction takes three cycles but starts every cycle, so three lanes run side by side.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::span<const std::byte> bytes,
                                                             std::uint32_t start) {
  static const Shift shift = make_lane_shift();
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  std::uint64_t crc = ~start;
  for (; static_cast<std::size_t>(end - at) >= 3 * kLaneBytes; at += 3 * kLaneBytes) {
    std::uint64_t second = 0, third = 0;
    for (std::size_t i = 0; i < kLaneBytes; i += 8) {
      crc = _mm_crc32_u64(crc, load64(at + i));
      second = _mm_crc32_u64(second, load64(at + kLaneBytes + i));
      third = _mm_crc32_u64(third, load64(at + 2 * kLaneBytes + i));
    }
    crc = apply(shift, static_cast<std::uint32_t>(crc)) ^ second;
    crc = apply(shift, static_cast<std::uint32_t>(crc)) ^ third;
  }
  for (; end - at >= 8; at += 8)
    crc = _mm_crc32_u64(crc, load64(at));
  for (; at != end; ++at)
    crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), std::to_integer<std::uint8_t>(*at));
  return ~static_cast<std::uint32_t>(crc);
}

#endif

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  return sliced(kCrc32Tables, bytes, crc);
}

std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  return sliced(kCrc32cTables, bytes, crc);
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(bytes, crc);
#endif
  return crc32c_portable(bytes, crc);
}

}  // namespace klue::detail
