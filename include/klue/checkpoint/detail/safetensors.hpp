#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include <klue/checkpoint/checkpoint.hpp>

namespace klue::detail {

/// The tensors of a whole safetensors file that is already in memory, as views into it. `file` is
/// for the errors only.
Checkpoint::Tensors parse_safetensors(const std::filesystem::path& file,
                                      std::span<const std::byte> bytes);

}  // namespace klue::detail
