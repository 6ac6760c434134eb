#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/detail/file_kind.hpp>
#include <klue/checkpoint/detail/layout.hpp>
#include <klue/checkpoint/detail/memory_budget.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/checkpoint/detail/safetensors.hpp>
#include <klue/checkpoint/detail/shard_index.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>

namespace klue::detail {
namespace {

constexpr std::uint64_t kMaxHeaderSize = 100'000'000;  // the reference implementation's limit
constexpr std::size_t kMaxIgnoredDepth = 64;
constexpr std::size_t kMaxNameSize = 4096;

struct Record {
  std::string name{};
  std::optional<DType> dtype{};
  std::optional<std::vector<std::size_t>> shape{};
  std::vector<std::uint64_t> offsets{};  // begin, end; relative to the end of the header
};

std::optional<DType> safetensors_dtype(std::string_view name) {
  using enum DType;
  for (const DType dtype : {f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean})
    if (dtype_name(dtype) == name) return dtype;
  return std::nullopt;
}

/// Takes the header apart as the parser meets its parts. No document is built: the parser keeps one
/// bit per open bracket, and this class refuses whatever nests deeper than the format.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(const std::filesystem::path& file, std::size_t file_size)
      : file_(file), budget_(file_size) {}

  std::vector<Record> take_records() { return std::move(records_); }

  bool key(std::string& key) override {
    switch (place_) {
      case Place::header:
        if (key.size() > kMaxNameSize) fail("a tensor's name is too long", {});
        spend(budget::kTensorBytes + 4 * key.size());
        if (!names_.insert(key).second) fail("duplicate tensor name", key);
        name_ = key;
        break;
      case Place::metadata:
        spend(128 + 2 * key.size());
        if (!metadata_keys_.insert(key).second) fail("duplicate key in __metadata__", key);
        break;
      case Place::tensor:
        start_field(key);
        break;
      default:
        break;  // inside of something ignored
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (ignored_depth_ > 0 || place_ == Place::ignored_field) return ignore_nested();
    switch (place_) {
      case Place::start:
        place_ = Place::header;
        return true;
      case Place::header:
        if (name_ == "__metadata__") {
          place_ = Place::metadata;
        } else {
          records_.push_back({.name = name_});
          place_ = Place::tensor;
        }
        return true;
      default:
        unexpected("an object");
    }
  }

  bool end_object() override {
    if (ignored_depth_ > 0) return end_ignored();
    if (place_ == Place::tensor) require_complete(records_.back());
    place_ = place_ == Place::header ? Place::end : Place::header;
    return true;
  }

  bool start_array(std::size_t) override {
    if (ignored_depth_ > 0 || place_ == Place::ignored_field) return ignore_nested();
    if (place_ == Place::shape_field) {
      records_.back().shape.emplace();
      place_ = Place::shape;
    } else if (place_ == Place::offsets_field) {
      place_ = Place::offsets;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    if (ignored_depth_ > 0) return end_ignored();
    place_ = Place::tensor;
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::metadata) return true;
    if (place_ != Place::dtype_field) return scalar('"' + value + '"');
    const auto dtype = safetensors_dtype(value);
    if (!dtype)
      throw UnsupportedError("element type that this library does not read",
                             {.file = file_.string(),
                              .field = records_.back().name,
                              .expected = "F32, F16, BF16 or another of safetensors' plain types",
                              .actual = value});
    records_.back().dtype = dtype;
    place_ = Place::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ == Place::shape) {
      if (records_.back().shape->size() == kMaxRank) fail("too many dimensions", {});
      spend(2 * sizeof value);
      records_.back().shape->push_back(value);
    } else if (place_ == Place::offsets) {
      if (records_.back().offsets.size() == 2) fail("data_offsets must be two numbers", {});
      records_.back().offsets.push_back(value);
    } else {
      scalar(std::to_string(value));
    }
    return true;
  }

  bool null() override { return scalar("null"); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override { return scalar(std::to_string(value)); }
  bool number_float(double, const std::string& text) override { return scalar(text); }
  bool binary(nlohmann::json::binary_t&) override { unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    throw FormatError(
        "the header is no valid JSON object",
        {.file = file_.string(), .actual = "an error at its byte " + std::to_string(position)});
  }

 private:
  enum class Place {
    start,
    header,
    metadata,
    tensor,
    dtype_field,
    shape_field,
    offsets_field,
    ignored_field,
    shape,
    offsets,
    end
  };

  void start_field(const std::string& key) {
    const Record& record = records_.back();
    if (key == "dtype") {
      if (record.dtype) fail("duplicate key", key);
      place_ = Place::dtype_field;
    } else if (key == "shape") {
      if (record.shape) fail("duplicate key", key);
      place_ = Place::shape_field;
    } else if (key == "data_offsets") {
      if (!record.offsets.empty()) fail("duplicate key", key);
      place_ = Place::offsets_field;
    } else {
      place_ = Place::ignored_field;  // as the reference implementation does
    }
  }

  /// Any value that is not where the format wants it.
  bool scalar(const std::string& found) {
    if (ignored_depth_ > 0) return true;
    if (place_ != Place::ignored_field) unexpected(found);
    place_ = Place::tensor;
    return true;
  }

  bool ignore_nested() {
    if (++ignored_depth_ > kMaxIgnoredDepth) fail("the header nests too deep", {});
    return true;
  }

  bool end_ignored() {
    if (--ignored_depth_ == 0) place_ = Place::tensor;
    return true;
  }

  void require_complete(const Record& record) const {
    if (!record.dtype) fail("no dtype", {});
    if (!record.shape) fail("no shape", {});
    if (record.offsets.size() != 2) fail("data_offsets must be two numbers", {});
  }

  void spend(std::size_t bytes) {
    if (!budget_.spend(bytes)) fail("the header describes more than the file can hold", {});
  }

  [[noreturn]] void unexpected(std::string found) const {
    const char* expected = "one tensor's object for each name";
    if (place_ == Place::start) expected = "a JSON object";
    if (place_ == Place::metadata) expected = "only strings in __metadata__";
    if (place_ == Place::dtype_field) expected = "the name of an element type as dtype";
    if (place_ == Place::shape_field || place_ == Place::shape)
      expected = "whole numbers from 0 to 2^64 - 1 in an array as shape";
    if (place_ == Place::offsets_field || place_ == Place::offsets)
      expected = "two whole numbers from 0 to 2^64 - 1 in an array as data_offsets";
    fail("wrong value in the header", std::move(found), expected);
  }

  [[noreturn]] void fail(const char* message, std::string found, std::string expected = {}) const {
    throw FormatError(message, {.file = file_.string(),
                                .field = name_,
                                .expected = std::move(expected),
                                .actual = std::move(found)});
  }

  const std::filesystem::path& file_;
  MemoryBudget budget_;
  Place place_ = Place::start;
  std::size_t ignored_depth_ = 0;
  std::string name_{};  // of the entry that is being read
  std::set<std::string> names_{}, metadata_keys_{};
  std::vector<Record> records_{};
};

/// The header's JSON, after its length has been checked against the file.
std::string_view header_text(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size)
    throw FormatError("too short for a safetensors file", {.file = file.string(),
                                                           .expected = "at least 8 bytes",
                                                           .actual = std::to_string(bytes.size())});
  std::memcpy(&size, bytes.data(), sizeof size);
  const std::size_t rest = bytes.size() - sizeof size;
  if (size > kMaxHeaderSize || size > rest)
    throw FormatError(
        "the header is longer than the file: it is cut short or no safetensors file",
        {.file = file.string(),
         .expected = "at most " + std::to_string(std::min<std::uint64_t>(rest, kMaxHeaderSize)) +
                     " bytes of header",
         .actual = std::to_string(size)});
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof size, size);
  if (!text.starts_with('{'))
    throw FormatError("the header does not start with '{': no safetensors file",
                      {.file = file.string()});
  return text;
}

TensorView safetensors_view(const std::filesystem::path& file, Record& record,
                            std::span<const std::byte> data) {
  const std::uint64_t begin = record.offsets[0], end = record.offsets[1];
  const auto fail = [&](const char* message, std::string expected, std::string actual) {
    throw FormatError(message,
                      {file.string(), record.name, std::move(expected), std::move(actual)});
  };
  if (begin > end)
    fail("data_offsets are reversed", "begin <= end",
         std::to_string(begin) + " > " + std::to_string(end));
  if (end > data.size())
    fail("the tensor ends past the end of the file, which is cut short or damaged",
         "at most " + std::to_string(data.size()) + " bytes of data", std::to_string(end));
  const auto expected = dense_bytes(*record.shape, *record.dtype);
  if (!expected) fail("the shape is too large", {}, shape_string(*record.shape));
  if (*expected != end - begin)
    fail("data_offsets contradict shape and dtype",
         std::to_string(*expected) + " bytes for " + shape_string(*record.shape) + " " +
             std::string(dtype_name(*record.dtype)),
         std::to_string(end - begin));
  return {*record.dtype, std::move(*record.shape), data.subspan(begin, end - begin)};
}

/// The format wants every byte of data to belong to exactly one tensor.
void require_dense_cover(const std::filesystem::path& file, std::vector<Record>& records,
                         std::size_t data_size) {
  std::ranges::sort(records, {}, &Record::offsets);
  std::uint64_t covered = 0;
  for (const Record& record : records) {
    if (record.offsets[0] != covered)
      throw FormatError(record.offsets[0] < covered ? "the tensor overlaps the one before it"
                                                    : "there is a gap before the tensor",
                        {.file = file.string(),
                         .field = record.name,
                         .expected = "begin at " + std::to_string(covered),
                         .actual = std::to_string(record.offsets[0])});
    covered = record.offsets[1];
  }
  if (covered != data_size)
    throw FormatError("the tensors do not fill the file: bytes are left over at its end",
                      {.file = file.string(),
                       .expected = std::to_string(covered) + " bytes of data",
                       .actual = std::to_string(data_size)});
}

}  // namespace

Checkpoint::Tensors parse_safetensors(const std::filesystem::path& file,
                                      std::span<const std::byte> bytes) {
  refuse_placeholder(file, bytes);
  const std::string_view header = header_text(file, bytes);
  HeaderReader reader(file, bytes.size());
  nlohmann::json::sax_parse(header, &reader);
  std::vector<Record> records = reader.take_records();

  const std::span<const std::byte> data = bytes.subspan(sizeof(std::uint64_t) + header.size());
  Checkpoint::Tensors tensors;
  for (Record& record : records)
    tensors.emplace(record.name, safetensors_view(file, record, data));
  require_dense_cover(file, records, data.size());
  return tensors;
}

Checkpoint read_safetensors(const Place& file) {
  const auto mapped = std::make_shared<const MappedFile>(map_file(file));
  return {file.path(), parse_safetensors(file.path(), mapped->bytes()),
          {mapped},    "safetensors",
          {},          mapped->is_mapping()};
}

Checkpoint read_sharded_safetensors(const Place& index) {
  return read_shards(index, "safetensors", read_safetensors);
}

}  // namespace klue::detail
