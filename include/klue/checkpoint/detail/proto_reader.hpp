#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include <klue/checkpoint/detail/byte_reader.hpp>

namespace klue::detail {

/// Reads the fields of one protocol buffer message in the order they come. Messages inside of it
/// are given as bytes, to be read by another one of these: nothing recurses.
/// Format: https://protobuf.dev/programming-guides/encoding.
class ProtoReader {
 public:
  class Field {
   public:
    std::uint64_t number() const noexcept { return number_; }

    /// Of varint and fixed fields. Throws FormatError where this is no such field.
    std::uint64_t value() const {
      if (is_bytes_) reader_->fail("has bytes where a number should be", {}, {});
      return value_;
    }

    /// Of strings and messages. Throws FormatError where this is no such field.
    std::span<const std::byte> bytes() const {
      if (!is_bytes_) reader_->fail("has a number where bytes should be", {}, {});
      return bytes_;
    }

   private:
    friend class ProtoReader;
    const ByteReader* reader_ = nullptr;
    std::uint64_t number_ = 0, value_ = 0;
    std::span<const std::byte> bytes_{};
    bool is_bytes_ = false;
  };

  /// `what` names the message in errors, as for ByteReader.
  ProtoReader(const std::filesystem::path& file, const char* what, std::span<const std::byte> bytes)
      : reader_(file, what, bytes) {}

  /// Nothing at the end. Throws FormatError where the message is broken.
  std::optional<Field> next() {
    if (reader_.at_end()) return std::nullopt;
    const std::uint64_t tag = reader_.varint();
    Field field;
    field.reader_ = &reader_;
    field.number_ = tag >> 3;
    switch (tag & 7) {
      case 0:
        field.value_ = reader_.varint();
        break;
      case 1:
        field.value_ = reader_.number<std::uint64_t>();
        break;
      case 2:
        field.is_bytes_ = true;
        field.bytes_ = reader_.take(reader_.varint());
        break;
      case 5:
        field.value_ = reader_.number<std::uint32_t>();
        break;
      default:
        reader_.fail("has a field of an unknown kind", {}, {});
    }
    return field;
  }

 private:
  ByteReader reader_;
};

}  // namespace klue::detail
