#include <string>
#include <vector>

#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/crc.hpp>
#include <klue/checkpoint/detail/snappy.hpp>
#include <klue/checkpoint/detail/sorted_table.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

using Visit = std::function<void(std::string_view, std::span<const std::byte>)>;

constexpr std::size_t kFooterSize = 48, kTrailerSize = 5;  // compression, checksum
constexpr std::uint64_t kMagic = 0xdb4775248b80fb57;

/// A block's content, decompressed into memory of its own where need be.
struct Block {
  std::vector<std::byte> plain;
  std::span<const std::byte> content;
};

class TableReader {
 public:
  TableReader(const std::filesystem::path& file, std::span<const std::byte> bytes)
      : file_(file), bytes_(bytes) {}

  /// What a handle stands for: the block at an offset, of a size. Blocks lie in the order in which
  /// they are listed, so that none is read twice, however small it makes its work look.
  Block block(ByteReader handle) {
    const std::uint64_t offset = handle.varint(), size = handle.varint();
    if (offset < read_up_to_) fail("the blocks of the table are listed twice or not in order");
    const std::uint64_t end = bytes_.size() - kFooterSize;
    if (offset > end || end - offset < kTrailerSize || size > end - offset - kTrailerSize)
      fail("a block reaches past the end of the table");
    read_up_to_ = offset + size + kTrailerSize;
    const auto stored = bytes_.subspan(offset, size + kTrailerSize);
    ByteReader checksum(file_, "a checksum", stored.last(4));
    if (checksum.number<std::uint32_t>() != masked_crc32c(stored.first(size + 1)))
      fail("a block's checksum is wrong: the file is damaged");
    Block block{{}, stored.first(size)};
    switch (std::to_integer<int>(stored[size])) {
      case 0:
        break;
      case 1:
        block.plain = snappy_decompress(file_, block.content);
        block.content = block.plain;
        break;
      default:
        fail("a block is compressed in an unknown way");
    }
    return block;
  }

  /// Keys are stored as how much they share with the one before, and the rest.
  void entries(std::span<const std::byte> block, const Visit& visit) const {
    ByteReader reader(file_, "a block of the table", without_restarts(block));
    std::string key;
    while (!reader.at_end()) {
      const std::uint64_t shared = reader.varint(), rest = reader.varint(), size = reader.varint();
      if (shared > key.size()) fail("a key shares more than the one before it has");
      const std::string_view suffix = as_text(reader.take(rest));
      key.resize(shared);
      key.append(suffix);
      visit(key, reader.take(size));
    }
  }

  ByteReader index_handle() const {
    if (bytes_.size() < kFooterSize) fail("too short for a TensorFlow checkpoint's index");
    const auto footer = bytes_.last(kFooterSize);
    ByteReader end(file_, "the magic number", footer.last(8));
    if (end.number<std::uint64_t>() != kMagic)
      fail("no TensorFlow checkpoint's index, or cut short: its last bytes are wrong");
    ByteReader handles(file_, "the footer", footer.first(kFooterSize - 8));
    handles.varint();  // the handle of the block of meta blocks, which TensorFlow leaves empty
    handles.varint();
    return handles;
  }

  ByteReader handle(std::span<const std::byte> value) const {
    return {file_, "a block handle", value};
  }

  [[noreturn]] void fail(const char* message) const {
    throw FormatError(message, {.file = file_.string()});
  }

 private:
  /// Behind the entries are offsets of some of them, for binary search, and their number.
  std::span<const std::byte> without_restarts(std::span<const std::byte> block) const {
    if (block.size() < 4) fail("a block of the table is too short");
    ByteReader count(file_, "a block's end", block.last(4));
    const std::uint64_t restarts = (std::uint64_t{count.number<std::uint32_t>()} + 1) * 4;
    if (restarts > block.size()) fail("a block's restarts reach past its begin");
    return block.first(block.size() - restarts);
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> bytes_;
  std::uint64_t read_up_to_ = 0;  // of the blocks of entries
};

}  // namespace

void read_sorted_table(const std::filesystem::path& file, std::span<const std::byte> bytes,
                       const Visit& visit) {
  TableReader table(file, bytes);
  std::string last;
  bool first = true;
  const Block index = TableReader(file, bytes).block(table.index_handle());
  table.entries(index.content, [&](std::string_view, std::span<const std::byte> handle) {
    const Block block = table.block(table.handle(handle));
    table.entries(block.content, [&](std::string_view key, std::span<const std::byte> value) {
      if (!first && key <= last) table.fail("the keys of the table are not in order");
      first = false;
      last = key;
      visit(key, value);
    });
  });
}

}  // namespace klue::detail
