#pragma once

#include <cstddef>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/error.hpp>

namespace klue::test {

/// Bytes in a heap block of exactly their size, where AddressSanitizer sees a read past the end.
inline std::vector<std::byte> to_bytes(std::string_view content) {
  const auto bytes = std::as_bytes(std::span(content));
  return {bytes.begin(), bytes.end()};
}

/// Calls `read` with every proper prefix of `content`; each must be refused by a FormatError.
template <class Read>
void expect_every_truncation_refused(std::string_view content, Read read) {
  for (std::size_t size = 0; size < content.size(); ++size) {
    try {
      read(to_bytes(content.substr(0, size)));
      ADD_FAILURE() << "accepted the first " << size << " of " << content.size() << " bytes";
    } catch (const FormatError&) {
    }
  }
}

/// Calls `read` with `count` copies of `content`, each with one byte changed; what it cannot read
/// it must refuse with a klue::Error. Always the same changes: std::mt19937_64 is specified
/// exactly.
template <class Read>
void expect_byte_flips_survived(std::string_view content, std::size_t count, Read read) {
  std::mt19937_64 random(content.size());
  std::vector<std::byte> bytes = to_bytes(content);
  for (std::size_t i = 0; i < count; ++i) {
    // Each byte in turn, so that no place is left out by chance.
    const std::size_t at = i < bytes.size() ? i : random() % bytes.size();
    const auto flip = static_cast<std::byte>(1 + random() % 255);
    bytes[at] ^= flip;
    try {
      read(bytes);
    } catch (const Error&) {
    }
    bytes[at] ^= flip;
  }
}

}  // namespace klue::test
