#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>

#include <klue/checkpoint/checkpoint.hpp>

namespace klue::detail {

/// What a TensorFlow checkpoint holds, by its own names.
struct TensorBundle {
  Checkpoint::Tensors tensors;  ///< numbers only; strings and the like are left out

  /// Names that the variables had in the program that saved them, by the name in the checkpoint.
  std::map<std::string, std::string, std::less<>> full_names;
};

/// Gives the bytes of data file `shard` of `count`.
using OpenShard = std::function<std::span<const std::byte>(std::size_t shard, std::size_t count)>;

/// Reads the index file of a checkpoint (`*.index`), whose bytes are given, and checks every tensor
/// against its data file. Format: tensorflow/core/util/tensor_bundle and
/// tensorflow/core/protobuf/{tensor_bundle,trackable_object_graph}.proto.
TensorBundle parse_tensor_bundle(const std::filesystem::path& file,
                                 std::span<const std::byte> index, const OpenShard& open_shard,
                                 const CheckpointOptions& options);

}  // namespace klue::detail
