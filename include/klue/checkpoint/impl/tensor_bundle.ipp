#include <array>
#include <map>
#include <optional>

#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/crc.hpp>
#include <klue/checkpoint/detail/file_kind.hpp>
#include <klue/checkpoint/detail/layout.hpp>
#include <klue/checkpoint/detail/memory_budget.hpp>
#include <klue/checkpoint/detail/proto_reader.hpp>
#include <klue/checkpoint/detail/sorted_table.hpp>
#include <klue/checkpoint/detail/tensor_bundle.hpp>
#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>

namespace klue::detail {
namespace {

constexpr std::string_view kObjectGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH";
constexpr std::uint64_t kStringType = 7, kMaxShards = 99'999;  // names have five digits

/// tensorflow/core/framework/types.proto
std::optional<DType> tensorflow_dtype(std::uint64_t type) {
  using enum DType;
  switch (type) {
    case 1:
      return f32;
    case 2:
      return f64;
    case 3:
      return i32;
    case 4:
      return u8;
    case 5:
      return i16;
    case 6:
      return i8;
    case 9:
      return i64;
    case 10:
      return boolean;
    case 14:
      return bf16;
    case 17:
      return u16;
    case 19:
      return f16;
    case 22:
      return u32;
    case 23:
      return u64;
    default:
      return std::nullopt;
  }
}

/// BundleEntryProto
struct Entry {
  std::uint64_t type = 0, shard = 0, offset = 0, size = 0;
  std::uint32_t crc = 0;
  bool sliced = false;
  std::vector<std::size_t> shape{};
};

class BundleReader {
 public:
  BundleReader(const std::filesystem::path& file, std::size_t index_size, const OpenShard& open,
               const CheckpointOptions& options)
      : file_(file),
        open_(open),
        options_(options),
        // Keys are stored by their differences, so that honest ones take more than the index, too.
        budget_(8 * index_size) {}

  TensorBundle take() {
    if (shards_ == 0) fail("the index has no header", {});
    return std::move(bundle_);
  }

  void visit(std::string_view key, std::span<const std::byte> value) {
    if (key.empty()) return read_header(value);
    if (shards_ == 0) fail("the index has no header", {});  // "" sorts before all others
    spend(budget::kTensorBytes + 4 * key.size());
    const Entry entry = read_entry(key, value);
    if (key == kObjectGraphKey && entry.type == kStringType)
      read_object_graph(string_content(key, entry));
    else if (const auto dtype = tensorflow_dtype(entry.type))
      bundle_.tensors.emplace_hint(bundle_.tensors.end(), key, view_of(key, entry, *dtype));
  }

 private:
  /// BundleHeaderProto
  void read_header(std::span<const std::byte> value) {
    std::uint64_t shards = 0, endianness = 0;
    ProtoReader header(file_, "the index's header", value);
    while (const auto field = header.next()) {
      if (field->number() == 1) shards = field->value();
      if (field->number() == 2) endianness = field->value();
    }
    if (endianness != 0)
      throw UnsupportedError("the checkpoint was written on a big-endian machine",
                             {.file = file_.string()});
    if (shards == 0 || shards > kMaxShards)
      fail("an impossible number of data files", {}, std::to_string(shards));
    shards_ = shards;
  }

  Entry read_entry(std::string_view key, std::span<const std::byte> value) const {
    Entry entry;
    ProtoReader fields(file_, "an entry of the index", value);
    while (const auto field = fields.next())
      switch (field->number()) {
        case 1:
          entry.type = field->value();
          break;
        case 2:
          entry.shape = read_shape(key, field->bytes());
          break;
        case 3:
          entry.shard = field->value();
          break;
        case 4:
          entry.offset = field->value();
          break;
        case 5:
          entry.size = field->value();
          break;
        case 6:
          entry.crc = static_cast<std::uint32_t>(field->value());
          break;
        case 7:
          entry.sliced = true;
          break;
        default:
          break;
      }
    return entry;
  }

  /// TensorShapeProto
  std::vector<std::size_t> read_shape(std::string_view key,
                                      std::span<const std::byte> bytes) const {
    std::vector<std::size_t> shape;
    ProtoReader fields(file_, "a shape", bytes);
    while (const auto field = fields.next()) {
      if (field->number() != 2) continue;
      if (shape.size() == kMaxRank) fail("too many dimensions", key);
      ProtoReader dimension(file_, "a dimension", field->bytes());
      std::uint64_t size = 0;  // zeros are not stored
      while (const auto part = dimension.next())
        if (part->number() == 1) size = part->value();
      if (size > PTRDIFF_MAX) fail("a negative extent", key);
      shape.push_back(size);
    }
    return shape;
  }

  /// The bytes of an entry in its data file.
  std::span<const std::byte> content(std::string_view key, const Entry& entry) {
    if (entry.sliced)
      throw UnsupportedError("the variable is stored in slices (a partitioned variable)",
                             {.file = file_.string(), .field = std::string(key)});
    if (entry.shard >= shards_)
      fail("the entry is in a data file that there is not", key,
           std::to_string(entry.shard) + " of " + std::to_string(shards_));
    const std::span<const std::byte> shard = open_(entry.shard, shards_);
    if (entry.offset > shard.size() || entry.size > shard.size() - entry.offset)
      fail("the entry ends past the end of its data file, which is cut short or another's", key,
           std::to_string(entry.offset) + " + " + std::to_string(entry.size) + " of " +
               std::to_string(shard.size()) + " bytes");
    // Nobody writes variables over each other, and reading them would be work without end.
    std::size_t& used = used_[entry.shard];
    if (entry.size > shard.size() - used) fail("the entries of a data file overlap", key);
    used += entry.size;
    return shard.subspan(entry.offset, entry.size);
  }

  TensorView view_of(std::string_view key, const Entry& entry, DType dtype) {
    const auto expected = dense_bytes(entry.shape, dtype);
    if (!expected) fail("the shape is too large", key, shape_string(entry.shape));
    if (*expected != entry.size)
      throw FormatError(
          "shape and size contradict each other",
          {.file = file_.string(),
           .field = std::string(key),
           .expected = std::to_string(*expected) + " bytes for " + shape_string(entry.shape) + " " +
                       std::string(dtype_name(dtype)),
           .actual = std::to_string(entry.size)});
    const auto bytes = content(key, entry);
    if (options_.verify_checksums && masked_crc32c(bytes) != entry.crc) fail_checksum(key);
    return {dtype, entry.shape, bytes};
  }

  /// A tensor of one string: its length, the checksum of that, and the string. The entry's checksum
  /// is of the length in four bytes (eight where it needs them), the checksum of it, and the
  /// string.
  std::span<const std::byte> string_content(std::string_view key, const Entry& entry) {
    if (!entry.shape.empty()) fail("the object graph is no single string", key);
    ByteReader reader(file_, "the object graph", content(key, entry));
    const std::uint64_t length = reader.varint();
    const auto stored = reader.number<std::uint32_t>();
    const auto text = reader.take(length);
    if (!reader.at_end()) fail("the object graph is no single string", key);
    const std::size_t length_bytes = length <= 0xffffffff ? 4 : 8;
    const std::uint32_t of_length =
        crc32c(std::as_bytes(std::span(&length, 1)).first(length_bytes));
    if (mask_crc32c(of_length) != stored ||
        mask_crc32c(crc32c(text, crc32c(std::as_bytes(std::span(&stored, 1)), of_length))) !=
            entry.crc)
      fail_checksum(key);
    return text;
  }

  /// TrackableObjectGraph: only the names of the saved variables matter, not what contained what.
  void read_object_graph(std::span<const std::byte> bytes) {
    ProtoReader graph(file_, "the object graph", bytes);
    while (const auto node = graph.next()) {
      if (node->number() != 1) continue;
      ProtoReader object(file_, "an object of the object graph", node->bytes());
      while (const auto field = object.next())
        if (field->number() == 2) read_attribute(field->bytes());
    }
  }

  /// SerializedTensor
  void read_attribute(std::span<const std::byte> bytes) {
    std::string_view full_name, key;
    ProtoReader attribute(file_, "an attribute of the object graph", bytes);
    while (const auto field = attribute.next()) {
      if (field->number() == 2) full_name = as_text(field->bytes());
      if (field->number() == 3) key = as_text(field->bytes());
    }
    spend(256 + 2 * (full_name.size() + key.size()));
    if (!full_name.empty()) bundle_.full_names.emplace(key, full_name);
  }

  void spend(std::size_t bytes) {
    if (!budget_.spend(bytes)) fail("the index describes more than a file of its size can", {});
  }

  [[noreturn]] void fail_checksum(std::string_view key) const {
    fail("the checksum is wrong: the data file is damaged", key);
  }

  [[noreturn]] void fail(const char* message, std::string_view key, std::string actual = {}) const {
    throw FormatError(
        message, {.file = file_.string(), .field = std::string(key), .actual = std::move(actual)});
  }

  const std::filesystem::path& file_;
  const OpenShard& open_;
  const CheckpointOptions& options_;
  MemoryBudget budget_;
  std::uint64_t shards_ = 0;
  std::map<std::uint64_t, std::size_t> used_;  // bytes of each data file that entries own
  TensorBundle bundle_;
};

}  // namespace

TensorBundle parse_tensor_bundle(const std::filesystem::path& file,
                                 std::span<const std::byte> index, const OpenShard& open_shard,
                                 const CheckpointOptions& options) {
  refuse_placeholder(file, index);
  BundleReader reader(file, index.size(), open_shard, options);
  read_sorted_table(file, index, [&](std::string_view key, std::span<const std::byte> value) {
    reader.visit(key, value);
  });
  return reader.take();
}

}  // namespace klue::detail
