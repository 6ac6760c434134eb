#include <array>
#include <cstdio>
#include <map>
#include <memory>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/checkpoint/detail/tensor_bundle.hpp>
#include <klue/checkpoint/detail/tensorflow_encoder.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

/// "variables.index" has its data in "variables.data-00000-of-00001" and so on.
std::filesystem::path shard_path(const std::filesystem::path& index, std::size_t shard,
                                 std::size_t count) {
  std::array<char, 64> ending;
  std::snprintf(ending.data(), ending.size(), ".data-%05zu-of-%05zu", shard, count);
  return std::filesystem::path(index).replace_extension(ending.data());
}

}  // namespace

Checkpoint read_tensorflow_checkpoint(const Place& index, const CheckpointOptions& options) {
  const MappedFile table = map_file(index);
  std::map<std::size_t, std::shared_ptr<const MappedFile>> shards;  // opened when first needed
  const OpenShard open_shard = [&](std::size_t shard, std::size_t count) {
    auto& mapped = shards[shard];
    if (!mapped)
      mapped = std::make_shared<const MappedFile>(
          map_file(index.beside(shard_path(index.path().filename(), shard, count))));
    return mapped->bytes();
  };
  TensorflowEncoder encoder = to_hugging_face(
      index.path(), parse_tensor_bundle(index.path(), table.bytes(), open_shard, options));
  std::vector<std::shared_ptr<const void>> owners;
  for (const auto& [shard, mapped] : shards) {
    mapped->release();  // what the checksums have read is not memory in use
    owners.push_back(mapped);
  }
  return {index.path(),  std::move(encoder.tensors), std::move(owners), "TensorFlow checkpoint",
          encoder.shape, table.is_mapping()};
}

Checkpoint read_tensorflow_checkpoint(const Archive& archive, const CheckpointOptions& options) {
  constexpr std::string_view kIndex = "variables/variables.index";
  const std::optional<std::string> member = archive.locate(kIndex);
  if (!member)
    throw FormatError("no SavedModel in the archive",
                      {.file = archive.file().string(), .expected = std::string(kIndex)});
  const std::filesystem::path index = archive.file() / *member;  // for people
  const OpenShard open_shard = [&](std::size_t shard, std::size_t count) {
    const std::filesystem::path path = shard_path(*member, shard, count);
    const auto found = archive.members().find(path.string());
    if (found == archive.members().end())
      throw FormatError("the archive lacks a data file of its checkpoint",
                        {.file = archive.file().string(), .expected = path.string()});
    return found->second;
  };
  TensorflowEncoder encoder = to_hugging_face(
      index, parse_tensor_bundle(index, archive.members().at(*member), open_shard, options));
  return {
      index,         std::move(encoder.tensors), {archive.owner()}, "packed TensorFlow checkpoint",
      encoder.shape, archive.is_mapped()};
}

}  // namespace klue::detail
