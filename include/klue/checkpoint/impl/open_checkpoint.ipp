#include <array>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/core/detail/model_layout.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>

namespace klue {
namespace {

struct Format {
  std::string_view file;    ///< its name in a model directory
  std::string_view ending;  ///< by which a path to a file is recognised
  Checkpoint (*read)(const detail::Place&, const CheckpointOptions&);
};

/// safetensors keep no checksums, so there is nothing to choose.
template <Checkpoint (*read)(const detail::Place&)>
Checkpoint without_options(const detail::Place& path, const CheckpointOptions&) {
  return read(path);
}

Checkpoint read_archive(const detail::Place& path, const CheckpointOptions& options) {
  return detail::read_tensorflow_checkpoint(detail::Archive::open(path), options);
}

/// In the order of preference.
constexpr std::array kFormats{
    Format{detail::kWeightFiles[0], ".safetensors", without_options<detail::read_safetensors>},
    Format{detail::kWeightFiles[1], ".safetensors.index.json",
           without_options<detail::read_sharded_safetensors>},
    Format{detail::kWeightFiles[2], ".bin", detail::read_torch_archive},
    Format{detail::kWeightFiles[3], ".bin.index.json", detail::read_sharded_torch_archive},
    Format{"variables/variables.index", ".index", detail::read_tensorflow_checkpoint},
};

/// Weights that other programs keep in the same directories.
constexpr std::array<std::string_view, 5> kForeignFiles{
    "tf_model.h5", "flax_model.msgpack", "model.onnx", "model.ckpt.index", "rust_model.ot"};

std::string looked_for() {
  std::string list;
  for (const Format& format : kFormats)
    list.append(list.empty() ? "" : ", ").append(format.file);
  return list;
}

Checkpoint open_file(const detail::Place& file, const CheckpointOptions& options) {
  const std::string name = file.path().filename().string();
  for (const Format& format : kFormats)
    if (name.ends_with(format.ending)) return format.read(file, options);
  if (detail::Archive::has_archive_name(file.path())) return read_archive(file, options);
  throw UnsupportedError("no weights by the file's name",
                         {.file = file.string(), .expected = looked_for()});
}

}  // namespace

Checkpoint detail::open_place(const Place& path, const CheckpointOptions& options) {
  if (!directory_exists(path)) {
    if (!file_exists(path))
      throw IoError("there is no such model directory", {.file = path.string()});
    return open_file(path, options);
  }
  for (const Format& format : kFormats)
    if (const auto file = path / format.file; file_exists(file)) return format.read(file, options);
  for (const std::string_view foreign : kForeignFiles)
    if (file_exists(path / foreign))
      throw UnsupportedError(
          "the directory has weights only in a format that is not read here",
          {.file = path.string(), .expected = looked_for(), .actual = std::string(foreign)});
  throw IoError("the directory has no weights", {.file = path.string(), .expected = looked_for()});
}

Checkpoint open_checkpoint(const std::filesystem::path& path, const CheckpointOptions& options) {
  return detail::open_place(detail::Place(path), options);
}

}  // namespace klue
