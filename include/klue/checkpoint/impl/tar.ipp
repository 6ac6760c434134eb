#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/memory_budget.hpp>
#include <klue/checkpoint/detail/tar.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

constexpr std::size_t kBlockSize = 512;
constexpr std::size_t kMostPath = 4096;  // as in Linux

/// The fields of a header block that matter here, by their place in it.
class Header {
 public:
  explicit Header(std::span<const std::byte> block) : block_(block) {}

  bool is_zero() const {
    return std::ranges::all_of(block_, [](std::byte byte) { return byte == std::byte{0}; });
  }

  /// The sum of all bytes, those of the sum itself counted as spaces.
  bool has_right_checksum() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBlockSize; ++i)
      sum += i >= 148 && i < 156 ? 32 : std::to_integer<std::uint64_t>(block_[i]);
    return octal(148, 8) == sum;
  }

  char type() const { return static_cast<char>(block_[156]); }

  /// Nothing where the field holds no number.
  std::optional<std::uint64_t> size() const {
    if (std::to_integer<unsigned>(block_[124]) == 0x80) return binary(128, 8);  // GNU: 8 GiB and up
    return octal(124, 12);
  }

  std::string path() const {
    const std::string name(text(0, 100));
    // Only POSIX has a prefix there; GNU's magic is "ustar  ".
    const std::string_view prefix =
        as_text(block_.subspan(257, 6)) == std::string_view("ustar\0", 6) ? text(345, 155) : "";
    return prefix.empty() ? name : std::string(prefix).append("/").append(name);
  }

 private:
  std::string_view text(std::size_t begin, std::size_t size) const {
    const std::string_view field = as_text(block_.subspan(begin, size));
    return field.substr(0, field.find('\0'));
  }

  std::optional<std::uint64_t> octal(std::size_t begin, std::size_t size) const {
    std::string_view digits = text(begin, size);
    digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
    digits = digits.substr(0, digits.find(' '));
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
    return value;
  }

  /// Big-endian; the four bytes before must be zero.
  std::optional<std::uint64_t> binary(std::size_t begin, std::size_t size) const {
    std::uint64_t value = 0;
    for (const std::byte byte : block_.subspan(begin, size))
      value = value << 8 | std::to_integer<std::uint64_t>(byte);
    for (const std::byte byte : block_.subspan(125, 3))
      if (byte != std::byte{0}) return std::nullopt;
    return value;
  }

  std::span<const std::byte> block_;
};

/// What an extra header says of the member that follows it.
struct Override {
  std::optional<std::string> path;
  std::optional<std::uint64_t> size;
};

class TarReader {
 public:
  TarReader(const std::filesystem::path& file, std::span<const std::byte> bytes,
            std::size_t file_size)
      : file_(file), rest_(bytes), budget_(file_size) {}

  Archive::Members read() {
    for (bool first = true;; first = false) {
      const Header header(take(kBlockSize));
      if (header.is_zero()) break;  // the end
      if (!header.has_right_checksum())
        fail(first ? "no tar archive" : "a damaged header in the tar archive");
      read_member(header);
    }
    return std::move(members_);
  }

 private:
  void read_member(const Header& header) {
    const bool extra = header.type() == 'x' || header.type() == 'L' || header.type() == 'g';
    const auto size = next_.size && !extra ? next_.size : header.size();
    if (!size) fail("a member of the tar archive has no size");
    const auto content = take(*size);
    take_padding(content.size());
    switch (header.type()) {
      case 'L':  // GNU: the path of the next member
        next_.path = checked_path(as_text(content).substr(0, as_text(content).find('\0')));
        return;
      case 'x':  // POSIX: records about the next member
        read_pax(content);
        return;
      case 'g':  // about all others, and of no matter here
        return;
      case '0':
      case '\0':
      case '7':
        add(next_.path ? *next_.path : header.path(), content);
        break;
      default:  // folders, links, devices
        break;
    }
    next_ = {};
  }

  void add(std::string path, std::span<const std::byte> content) {
    if (path.ends_with('/')) return;  // how the oldest format marks a folder
    while (path.starts_with("./"))
      path.erase(0, 2);
    if (!budget_.spend(256 + 2 * path.size())) fail("more members than an archive of models has");
    members_.insert_or_assign(std::move(path), content);  // a later one replaces the earlier
  }

  /// "30 mtime=1350244992.02\n", the number being the record's length.
  void read_pax(std::span<const std::byte> content) {
    std::string_view records = as_text(content);
    while (!records.empty()) {
      std::size_t length = 0;
      const auto read = std::from_chars(records.data(), records.data() + records.size(), length);
      const auto digits = static_cast<std::size_t>(read.ptr - records.data());
      if (read.ec != std::errc() || length > records.size() || length < digits + 2 ||
          records[digits] != ' ' || records[length - 1] != '\n')
        fail("a damaged extended header in the tar archive");
      keep_record(records.substr(digits + 1, length - digits - 2));
      records.remove_prefix(length);
    }
  }

  void keep_record(std::string_view record) {
    const std::size_t equals = record.find('=');
    if (equals == record.npos) fail("a damaged extended header in the tar archive");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") next_.path = checked_path(value);
    if (key.starts_with("GNU.sparse."))
      throw UnsupportedError("a sparse file in the tar archive", {.file = file_.string()});
    if (key != "size") return;
    std::uint64_t size = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), size);
    if (read.ec != std::errc() || read.ptr != value.data() + value.size())
      fail("a member of the tar archive has no size");
    next_.size = size;
  }

  std::string checked_path(std::string_view path) const {
    if (path.size() > kMostPath) fail("a path in the tar archive is too long");
    return std::string(path);
  }

  std::span<const std::byte> take(std::uint64_t size) {
    if (size > rest_.size()) fail("the tar archive is cut short");
    const auto taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  void take_padding(std::size_t content) { take((kBlockSize - content % kBlockSize) % kBlockSize); }

  [[noreturn]] void fail(const char* message) const {
    throw FormatError(message, {.file = file_.string()});
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> rest_;
  MemoryBudget budget_;
  Override next_;
  Archive::Members members_;
};

}  // namespace

Archive::Members read_tar(const std::filesystem::path& file, std::span<const std::byte> bytes,
                          std::size_t file_size) {
  return TarReader(file, bytes, file_size).read();
}

}  // namespace klue::detail
