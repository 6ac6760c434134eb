#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/detail/place.hpp>

namespace klue::detail {

/// `weight_map` of an index file: tensor name → name of the file that holds it.
using ShardIndex = std::map<std::string, std::string, std::less<>>;

/// Throws FormatError where the text is no index, or names a file outside of its own directory.
ShardIndex parse_shard_index(const std::filesystem::path& file, std::string_view text);

/// Reads every file that the index names with `read_shard` and joins their tensors. `format` is of
/// one shard.
Checkpoint read_shards(const Place& index, std::string_view format,
                       const std::function<Checkpoint(const Place&)>& read_shard);

}  // namespace klue::detail
