#include <array>
#include <cstdio>
#include <map>
#include <memory>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/error.hpp>
#include <klue/core/mapped_file.hpp>

#include "checkpoint/tensor_bundle.hpp"
#include "checkpoint/tensorflow_encoder.hpp"

namespace klue {
namespace {

/// "variables.index" has its data in "variables.data-00000-of-00001" and so on.
std::filesystem::path shard_path(const std::filesystem::path& index, std::size_t shard,
                                 std::size_t count) {
  std::array<char, 64> ending;
  std::snprintf(ending.data(), ending.size(), ".data-%05zu-of-%05zu", shard, count);
  return std::filesystem::path(index).replace_extension(ending.data());
}

}  // namespace

Checkpoint read_tensorflow_checkpoint(const std::filesystem::path& index,
                                      const CheckpointOptions& options) {
  const MappedFile table(index);
  std::map<std::size_t, std::shared_ptr<const MappedFile>> shards;  // opened when first needed
  const OpenShard open_shard = [&](std::size_t shard, std::size_t count) {
    auto& mapped = shards[shard];
    if (!mapped) mapped = std::make_shared<const MappedFile>(shard_path(index, shard, count));
    return mapped->bytes();
  };
  TensorflowEncoder encoder =
      to_hugging_face(index, parse_tensor_bundle(index, table.bytes(), open_shard, options));
  std::vector<std::shared_ptr<const void>> owners;
  for (const auto& [shard, mapped] : shards) {
    MappedFile::release(mapped->bytes());  // what the checksums have read is not memory in use
    owners.push_back(mapped);
  }
  return {index, std::move(encoder.tensors), std::move(owners), "TensorFlow checkpoint",
          encoder.shape};
}

}  // namespace klue
