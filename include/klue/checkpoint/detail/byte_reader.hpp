#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <klue/core/error.hpp>

namespace klue::detail {

inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads little-endian numbers one after another out of a part of a file, and throws FormatError
/// rather than pass its end. `what` names the part in that error: "the central directory".
class ByteReader {
 public:
  ByteReader(const std::filesystem::path& file, const char* what, std::span<const std::byte> bytes)
      : file_(&file), what_(what), bytes_(bytes) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t rest() const noexcept { return bytes_.size() - position_; }
  bool at_end() const noexcept { return rest() == 0; }

  std::span<const std::byte> take(std::uint64_t size) {
    if (size > rest())
      fail("is cut short", std::to_string(size) + " more bytes", std::to_string(rest()));
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(size));
    position_ += taken.size();
    return taken;
  }

  template <std::integral Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  /// LEB128, as protocol buffers and LevelDB write unsigned numbers: at most 10 bytes.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const auto byte = number<std::uint8_t>();
      if (shift == 63 && byte > 1) break;  // more than 64 bits
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("has a number of more than 64 bits", {}, {});
  }

  /// Up to the next line feed, which is passed and not given back.
  std::string_view line() {
    const std::string_view text = as_text(bytes_.subspan(position_));
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) fail("has an unterminated string", {}, {});
    position_ += end + 1;
    return text.substr(0, end);
  }

  /// Throws FormatError that says what this part of the file does wrong.
  [[noreturn]] void fail(const char* problem, std::string expected, std::string actual) const {
    throw FormatError(
        std::string(what_) + ' ' + problem,
        {.file = file_->string(), .expected = std::move(expected), .actual = std::move(actual)});
  }

 private:
  const std::filesystem::path* file_;
  const char* what_;
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
};

}  // namespace klue::detail
