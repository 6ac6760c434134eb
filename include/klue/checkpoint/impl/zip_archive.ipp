#include <algorithm>
#include <optional>

#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/crc.hpp>
#include <klue/checkpoint/detail/zip_archive.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50,
                        kEndSignature = 0x06054b50, kEnd64Signature = 0x06064b50,
                        kLocator64Signature = 0x07064b50;
constexpr std::size_t kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20, kMaxComment = 0xffff;
constexpr std::uint16_t kEncryptedFlag = 1, kSizesFollowFlag = 8;
constexpr std::uint32_t kInZip64 = 0xffffffff;  // "see the ZIP64 field"
constexpr std::uint16_t kZip64Field = 1;

/// Where the central directory is and how many entries it has.
struct End {
  std::uint64_t entries = 0, size = 0, offset = 0;
};

class DirectoryReader {
 public:
  DirectoryReader(const std::filesystem::path& file, std::span<const std::byte> bytes)
      : file_(file), bytes_(bytes) {}

  /// Reads the end record, and the ZIP64 one where it is needed.
  End end() const {
    const std::size_t at = find_end_record();
    ByteReader record = reader("the ZIP end record", at, kEndSize);
    record.take(4);
    const auto disk = record.number<std::uint16_t>(), first = record.number<std::uint16_t>();
    const auto here = record.number<std::uint16_t>(), total = record.number<std::uint16_t>();
    const End end{total, record.number<std::uint32_t>(), record.number<std::uint32_t>()};
    if (has_locator64(at)) return end64(at - kLocator64Size, end);
    if (disk != 0 || first != 0 || here != total) fail("the ZIP archive has several volumes");
    return checked(end, at);
  }

  template <class Add>
  void entries(const End& end, Add add) const {
    ByteReader directory = reader("the ZIP directory", end.offset, end.size);
    for (std::uint64_t i = 0; i < end.entries; ++i) {
      if (directory.number<std::uint32_t>() != kCentralSignature)
        fail("the ZIP directory has no entry where one should be");
      directory.take(4);  // versions
      ZipArchive::Entry entry{};
      entry.flags = directory.number<std::uint16_t>();
      entry.method = directory.number<std::uint16_t>();
      directory.take(4);  // time and date
      entry.crc = directory.number<std::uint32_t>();
      entry.compressed_size = directory.number<std::uint32_t>();
      entry.size = directory.number<std::uint32_t>();
      const auto name_size = directory.number<std::uint16_t>();
      const auto extra_size = directory.number<std::uint16_t>();
      const auto comment_size = directory.number<std::uint16_t>();
      directory.take(8);  // volume and attributes
      entry.header_offset = directory.number<std::uint32_t>();
      const std::string_view name = as_text(directory.take(name_size));
      widen(entry, directory.take(extra_size));
      directory.take(comment_size);
      add(name, entry);
    }
    if (!directory.at_end()) fail("the ZIP directory has more than its entries");
  }

 private:
  ByteReader reader(const char* what, std::uint64_t offset, std::uint64_t size) const {
    return {file_, what, bytes_.subspan(offset, size)};
  }

  template <class Number>
  Number number_at(std::size_t offset) const {
    Number value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  /// The last place from which the record and the comment it announces fill the file exactly.
  std::size_t find_end_record() const {
    const std::size_t size = bytes_.size();
    for (std::size_t comment = 0; comment <= kMaxComment && kEndSize + comment <= size; ++comment) {
      const std::size_t at = size - kEndSize - comment;
      if (number_at<std::uint32_t>(at) == kEndSignature &&
          number_at<std::uint16_t>(at + 20) == comment)
        return at;
    }
    fail("the ZIP archive has no end: the file is cut short");
  }

  bool has_locator64(std::size_t end_at) const {
    return end_at >= kLocator64Size &&
           number_at<std::uint32_t>(end_at - kLocator64Size) == kLocator64Signature;
  }

  /// Numbers that are too large for the end record are all ones there and stand in the ZIP64 one.
  End end64(std::size_t locator_at, End end) const {
    ByteReader locator = reader("the ZIP64 locator", locator_at, kLocator64Size);
    locator.take(8);  // signature, volume
    const auto offset = locator.number<std::uint64_t>();
    if (offset > locator_at || locator_at - offset < kEnd64Size)
      fail("the ZIP64 end record is outside the file");
    ByteReader record = reader("the ZIP64 end record", offset, kEnd64Size);
    if (record.number<std::uint32_t>() != kEnd64Signature)
      fail("the ZIP64 end record is not where the locator says");
    record.take(20);  // its size, versions, volumes
    const auto here = record.number<std::uint64_t>(), total = record.number<std::uint64_t>();
    const End wide{total, record.number<std::uint64_t>(), record.number<std::uint64_t>()};
    if (here != total) fail("the ZIP archive has several volumes");
    const auto agree = [](std::uint64_t narrow, std::uint64_t all_ones, std::uint64_t value) {
      return narrow == all_ones || narrow == value;
    };
    if (!agree(end.entries, 0xffff, wide.entries) || !agree(end.size, kInZip64, wide.size) ||
        !agree(end.offset, kInZip64, wide.offset))
      fail("the ZIP64 end record contradicts the end record");
    return checked(wide, offset);
  }

  End checked(const End& end, std::uint64_t limit) const {
    if (end.offset > limit || end.size > limit - end.offset)
      fail("the ZIP directory is outside the file");
    return end;
  }

  void widen(ZipArchive::Entry& entry, std::span<const std::byte> extra) const {
    ByteReader fields(file_, "an extra field of the ZIP directory", extra);
    while (fields.rest() >= 4) {  // some writers pad with fewer bytes than a field has
      const auto id = fields.number<std::uint16_t>();
      ByteReader field(file_, "the ZIP64 field of an entry",
                       fields.take(fields.number<std::uint16_t>()));
      if (id != kZip64Field) continue;
      for (std::uint64_t* value : {&entry.size, &entry.compressed_size, &entry.header_offset})
        if (*value == kInZip64) *value = field.number<std::uint64_t>();
      return;
    }
  }

  [[noreturn]] void fail(const char* message) const {
    throw FormatError(message, {.file = file_.string()});
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> bytes_;
};

}  // namespace

ZipArchive::ZipArchive(const std::filesystem::path& file, std::span<const std::byte> bytes)
    : file_(file), bytes_(bytes) {
  const DirectoryReader reader(file_, bytes_);
  const End end = reader.end();
  reader.entries(end, [&](std::string_view name, const Entry& entry) {
    if (!entries_.emplace(name, entry).second)
      throw FormatError("the ZIP archive has two entries of one name",
                        {.file = file_.string(), .field = std::string(name)});
    // No entry ends where another one pretends to begin, outside the archive.
    if (entry.header_offset < end.offset) begins_.push_back(entry.header_offset);
  });
  begins_.push_back(end.offset);
  std::ranges::sort(begins_);
}

std::span<const std::byte> ZipArchive::read(std::string_view name, bool verify_crc) const {
  const ErrorContext where{.file = file_.string(), .field = std::string(name)};
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw FormatError("the archive lacks this entry", where);
  const Entry& entry = found->second;
  if ((entry.flags & kEncryptedFlag) != 0) throw UnsupportedError("the entry is encrypted", where);
  if (entry.method != 0)
    throw UnsupportedError("the entry is compressed; only stored ones can be mapped", where);
  if (entry.compressed_size != entry.size)
    throw FormatError("a stored entry has two different sizes", where);
  const auto next = std::ranges::upper_bound(begins_, entry.header_offset);
  if (next == begins_.end()) throw FormatError("the entry begins outside the archive", where);

  // Entries that reach into others would be checked again and again; begin in one place they
  // cannot, for each has its name there.
  ByteReader header(file_, "a local header of the ZIP archive",
                    bytes_.subspan(entry.header_offset, *next - entry.header_offset));
  const auto signature = header.number<std::uint32_t>();
  header.take(2);  // version
  const auto flags = header.number<std::uint16_t>(), method = header.number<std::uint16_t>();
  header.take(4);  // time and date
  const auto crc = header.number<std::uint32_t>(), packed = header.number<std::uint32_t>(),
             size = header.number<std::uint32_t>();
  const auto name_size = header.number<std::uint16_t>(),
             extra_size = header.number<std::uint16_t>();
  const bool has_sizes = (flags & kSizesFollowFlag) == 0;
  const auto agrees = [&](std::uint32_t local, std::uint64_t central) {
    return !has_sizes || local == kInZip64 || local == central;
  };
  if (signature != kLocalSignature || method != entry.method ||
      as_text(header.take(name_size)) != name || !agrees(packed, entry.size) ||
      !agrees(size, entry.size) || (has_sizes && crc != entry.crc))
    throw FormatError("the entry's local header contradicts the ZIP directory", where);
  header.take(extra_size);
  const std::span<const std::byte> content = header.take(entry.size);
  // Writers that compute no checksum leave 0.
  if (verify_crc && entry.crc != 0 && crc32(content) != entry.crc)
    throw FormatError("the entry's checksum is wrong: the file is damaged", where);
  return content;
}

}  // namespace klue::detail
