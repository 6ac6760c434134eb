#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/language.hpp>

namespace klue {

/// One tensor of a file that is to be written: its elements in C order, as many bytes as shape and
/// dtype say.
struct TensorToWrite {
  std::string name;                  ///< unique in the file
  DType dtype = DType::f32;          ///< of the elements
  std::vector<std::size_t> shape;    ///< row-major
  std::span<const std::byte> bytes;  ///< little-endian, as many as shape and dtype say
};

/// Writes a safetensors file: under its name there is nothing, or what was there, until all of it
/// is on the disk. `metadata` goes to `__metadata__`; Hugging Face's loaders want {"format": "pt"}
/// there. Throws IoError where the system refuses, a full disk above all, and UsageError for a
/// tensor whose bytes are not what its shape says. What has been written is then removed.
KLUE_EXPORT void write_safetensors(const std::filesystem::path& file,
                                   std::span<const TensorToWrite> tensors,
                                   const std::map<std::string, std::string>& metadata = {});

/// The same for any small file.
KLUE_EXPORT void write_whole_file(const std::filesystem::path& file, std::string_view content);

/// Gives a file or a folder another name, under which nothing may be, and sees to it that a crash
/// of the system does not undo it. Throws IoError.
KLUE_EXPORT void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace klue
