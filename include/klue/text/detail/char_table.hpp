#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace klue::detail {

/// One 32-bit value per code point, in pages of 256 of which equal ones are stored once.
class CharTable {
 public:
  static constexpr char32_t kCodePoints = 0x110000;

  CharTable() : pages_(kPageSize, 0) { index_.fill(0); }

  /// `code_point` must be below 0x110000. O(1), two loads.
  std::uint32_t operator[](char32_t code_point) const noexcept {
    return pages_[(std::size_t{index_[code_point >> 8]} << 8) | (code_point & 0xFF)];
  }

  void set(char32_t code_point, std::uint32_t value) {
    std::uint16_t& page = index_[code_point >> 8];
    if (page == 0) {  // page 0 is the shared page of zeros
      page = static_cast<std::uint16_t>(pages_.size() >> 8);
      pages_.resize(pages_.size() + kPageSize, 0);
    }
    pages_[(std::size_t{page} << 8) | (code_point & 0xFF)] = value;
  }

  std::size_t memory_bytes() const noexcept { return pages_.capacity() * sizeof(pages_[0]); }

 private:
  static constexpr std::size_t kPageSize = 256;

  std::array<std::uint16_t, kCodePoints / kPageSize> index_;
  std::vector<std::uint32_t> pages_;
};

}  // namespace klue::detail
