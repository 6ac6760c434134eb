#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/file_kind.hpp>
#include <klue/checkpoint/detail/layout.hpp>
#include <klue/checkpoint/detail/pickle.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/checkpoint/detail/shard_index.hpp>
#include <klue/checkpoint/detail/torch_archive.hpp>
#include <klue/checkpoint/detail/zip_archive.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

/// Repeated elements (stride 0) make a tensor larger than its storage. Nobody repeats weights, and
/// position_ids are few, so that a reader may allocate what a tensor of this size needs.
std::size_t largest_tensor(std::span<const std::byte> file) {
  return file.size() + (1 << 20);
}

struct NamedTensor {
  std::string_view name;
  const PickledTensor& tensor;
};

/// The tensors at the top of the object; whatever else a training script put beside them is left.
std::vector<NamedTensor> state_dict(const std::filesystem::path& file, Unpickler& pickle,
                                    const Unpickler::Value& object) {
  using enum Unpickler::Kind;
  if (object.kind != dict)
    throw FormatError("the file holds no dictionary of weights (a state dict)",
                      {.file = file.string()});
  std::vector<NamedTensor> tensors;
  bool nested = false;
  const auto& items = pickle.dict(object);
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const Unpickler::Value &key = items[i], &value = items[i + 1];
    if (value.kind == tensor && key.kind == string) {
      tensors.push_back({pickle.string(key), pickle.tensor(value)});
      const NamedTensor& named = tensors.back();
      // Many names may stand for one tensor.
      pickle.spend(budget::kTensorBytes + 2 * named.name.size() +
                   2 * sizeof(std::size_t) * named.tensor.shape.size());
    }
    nested = nested || value.kind == dict;
  }
  if (tensors.empty() && nested)
    throw UnsupportedError(
        "the weights are not at the top of the file but inside of another dictionary, as training "
        "frameworks keep them; save the state_dict() alone",
        {.file = file.string()});
  return tensors;
}

std::vector<std::size_t> unsigned_shape(const std::vector<std::int64_t>& shape) {
  return {shape.begin(), shape.end()};
}

bool is_contiguous(const PickledTensor& tensor) {
  std::int64_t dense = 1;  // cannot overflow: the product was checked
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != dense) return false;
    dense *= tensor.shape[i];
  }
  return true;
}

/// Elements from the first to the last one of a tensor with elements; -1 where that overflows.
std::int64_t strided_extent(const PickledTensor& tensor) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return -1;
  }
  return __builtin_add_overflow(last, 1, &last) ? -1 : last;
}

/// A window of `storage`, after everything about it has been checked.
TensorView torch_view(const std::filesystem::path& file, const NamedTensor& named,
                      std::span<const std::byte> storage, std::size_t max_size) {
  const PickledTensor& tensor = named.tensor;
  const DType dtype = tensor.storage.dtype;
  const auto fail = [&](const char* message) {
    throw FormatError(message, {.file = file.string(), .field = std::string(named.name)});
  };
  const auto negative = [](std::int64_t value) { return value < 0; };
  if (tensor.shape.size() != tensor.strides.size()) fail("shape and strides differ in length");
  if (std::ranges::any_of(tensor.shape, negative)) fail("a negative extent");
  if (std::ranges::any_of(tensor.strides, negative)) fail("a negative stride");
  std::vector<std::size_t> shape = unsigned_shape(tensor.shape);
  const auto dense = dense_bytes(shape, dtype);
  if (!dense || *dense > max_size) fail("the shape is too large for the file");

  std::int64_t offset = 0;
  if (tensor.offset < 0 || tensor.storage.offset < 0 ||
      __builtin_add_overflow(tensor.offset, tensor.storage.offset, &offset))
    fail("a negative or too large offset");
  const auto available = static_cast<std::int64_t>(storage.size() / dtype_size(dtype));
  const std::int64_t extent = *dense == 0 ? 0 : strided_extent(tensor);
  if (extent < 0 || offset > available || extent > available - offset)
    fail("the tensor reaches past the end of its storage");

  const auto begin = static_cast<std::size_t>(offset) * dtype_size(dtype);
  const auto size = static_cast<std::size_t>(extent) * dtype_size(dtype);
  TensorView view{dtype, std::move(shape), storage.subspan(begin, size)};
  if (*dense != 0 && !is_contiguous(tensor)) view.strides = unsigned_shape(tensor.strides);
  return view;
}

void insert(const std::filesystem::path& file, Checkpoint::Tensors& tensors,
            const NamedTensor& named, std::span<const std::byte> storage, std::size_t max_size) {
  const PickledStorage& expected = named.tensor.storage;
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(expected.elements, dtype_size(expected.dtype), &bytes) ||
      bytes != std::ssize(storage))
    throw FormatError("the tensor's storage has another size than the pickle says",
                      {.file = file.string(),
                       .field = std::string(named.name),
                       .expected = std::to_string(expected.elements) + " elements of " +
                                   std::string(dtype_name(expected.dtype)),
                       .actual = std::to_string(storage.size()) + " bytes"});
  if (!tensors.emplace(named.name, torch_view(file, named, storage, max_size)).second)
    throw FormatError("duplicate tensor name",
                      {.file = file.string(), .field = std::string(named.name)});
}

// ------------------------------------------------------------------ PyTorch 1.6 and newer: a ZIP

/// Everything lies in one folder, whose name is the archive's first.
std::string archive_folder(const std::filesystem::path& file, const ZipArchive& archive) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::string folder;
  for (const auto& [name, entry] : archive.entries()) {
    if (!name.ends_with(kPickle)) continue;
    const std::string_view top = std::string_view(name).substr(0, name.size() - kPickle.size());
    if (top.find('/') != std::string_view::npos) continue;
    if (!folder.empty())
      throw FormatError("the archive holds two pickles", {.file = file.string()});
    folder = name.substr(0, top.size() + 1);
  }
  if (folder.empty())
    throw FormatError("a ZIP archive, but not one of PyTorch's: it has no data.pkl",
                      {.file = file.string()});
  return folder;
}

Checkpoint::Tensors parse_zip(const std::filesystem::path& file, std::span<const std::byte> bytes,
                              const CheckpointOptions& options) {
  const ZipArchive archive(file, bytes);
  const std::string folder = archive_folder(file, archive);
  if (archive.entries().contains(folder + "byteorder") &&
      as_text(archive.read(folder + "byteorder", true)) != "little")
    throw UnsupportedError("the file was written on a big-endian machine", {.file = file.string()});

  Unpickler pickle(file, archive.read(folder + "data.pkl", true), bytes.size());
  const Unpickler::Value object = pickle.load();
  Checkpoint::Tensors tensors;
  std::map<std::string_view, std::span<const std::byte>> storages;  // tensors share them
  for (const NamedTensor& named : state_dict(file, pickle, object)) {
    const std::string_view key = named.tensor.storage.key;
    auto storage = storages.find(key);
    if (storage == storages.end())
      storage = storages
                    .emplace(key, archive.read(std::string(folder).append("data/").append(key),
                                               options.verify_checksums))
                    .first;
    insert(file, tensors, named, storage->second, largest_tensor(bytes));
  }
  return tensors;
}

// ------------------------------------------------------- older: pickles with the data behind them

/// PROTO 2, then LONG1 of ten bytes: 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyMagic =
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kLegacyVersion = 1001;

void check_legacy_system(const std::filesystem::path& file, const Unpickler& pickle,
                         const Unpickler::Value& system) {
  const auto& items = pickle.dict(system);
  for (std::size_t i = 0; i < items.size(); i += 2)
    if (items[i].kind == Unpickler::Kind::string && pickle.string(items[i]) == "little_endian" &&
        items[i + 1].number == 0)
      throw UnsupportedError("the file was written on a big-endian machine",
                             {.file = file.string()});
}

Checkpoint::Tensors parse_legacy(const std::filesystem::path& file,
                                 std::span<const std::byte> bytes) {
  Unpickler pickle(file, bytes, bytes.size());
  pickle.load();  // the magic number
  const Unpickler::Value version = pickle.load();
  if (version.kind != Unpickler::Kind::integer || version.number != kLegacyVersion)
    throw UnsupportedError("an unknown version of PyTorch's old format", {.file = file.string()});
  check_legacy_system(file, pickle, pickle.load());
  const std::vector<NamedTensor> named = state_dict(file, pickle, pickle.load());

  std::map<std::string_view, DType> dtypes;
  for (const PickledStorage& storage : pickle.storages())
    dtypes.emplace(storage.key, storage.dtype);
  const Unpickler::Value keys = pickle.load();
  ByteReader data(file, "the data of the tensors", bytes.subspan(pickle.position()));
  std::map<std::string_view, std::span<const std::byte>> storages;
  for (const Unpickler::Value& key : pickle.list(keys)) {
    const auto dtype = dtypes.find(pickle.string(key));
    if (dtype == dtypes.end()) data.fail("has a storage that the pickle does not describe", {}, {});
    const auto elements = data.number<std::uint64_t>();
    std::uint64_t size = 0;
    if (__builtin_mul_overflow(elements, dtype_size(dtype->second), &size))
      data.fail("has a storage that is too large", {}, std::to_string(elements) + " elements");
    if (!storages.emplace(dtype->first, data.take(size)).second)
      data.fail("has a storage twice", {}, std::string(dtype->first));
  }

  Checkpoint::Tensors tensors;
  for (const NamedTensor& tensor : named) {
    const auto storage = storages.find(tensor.tensor.storage.key);
    if (storage == storages.end())
      throw FormatError("the tensor's storage is missing",
                        {.file = file.string(), .field = std::string(tensor.name)});
    insert(file, tensors, tensor, storage->second, largest_tensor(bytes));
  }
  return tensors;
}

}  // namespace

Checkpoint::Tensors parse_torch_archive(const std::filesystem::path& file,
                                        std::span<const std::byte> bytes,
                                        const CheckpointOptions& options) {
  refuse_placeholder(file, bytes);
  const std::string_view text = as_text(bytes);
  if (text.starts_with("PK\3\4")) return parse_zip(file, bytes, options);
  if (text.starts_with(kLegacyMagic)) return parse_legacy(file, bytes);
  throw FormatError("neither a ZIP archive of PyTorch nor its old format", {.file = file.string()});
}

Checkpoint read_torch_archive(const Place& file, const CheckpointOptions& options) {
  const auto mapped = std::make_shared<const MappedFile>(map_file(file));
  Checkpoint::Tensors tensors = parse_torch_archive(file.path(), mapped->bytes(), options);
  mapped->release();  // what the checksums have read is not memory in use
  return {file.path(), std::move(tensors), {mapped}, "PyTorch archive", {}, mapped->is_mapping()};
}

Checkpoint read_sharded_torch_archive(const Place& index, const CheckpointOptions& options) {
  return read_shards(index, "PyTorch archive",
                     [&](const Place& shard) { return read_torch_archive(shard, options); });
}

}  // namespace klue::detail
