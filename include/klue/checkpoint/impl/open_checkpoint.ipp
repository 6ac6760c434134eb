#include <array>
#include <system_error>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/core/error.hpp>

namespace klue {
namespace {

struct Format {
  std::string_view file;    ///< its name in a model directory
  std::string_view ending;  ///< by which a path to a file is recognised
  Checkpoint (*read)(const std::filesystem::path&, const CheckpointOptions&);
};

/// safetensors keep no checksums, so there is nothing to choose.
template <Checkpoint (*read)(const std::filesystem::path&)>
Checkpoint without_options(const std::filesystem::path& path, const CheckpointOptions&) {
  return read(path);
}

Checkpoint read_archive(const std::filesystem::path& path, const CheckpointOptions& options) {
  return detail::read_tensorflow_checkpoint(detail::Archive::open(path), options);
}

/// In the order of preference.
constexpr std::array formats{
    Format{"model.safetensors", ".safetensors", without_options<detail::read_safetensors>},
    Format{"model.safetensors.index.json", ".safetensors.index.json",
           without_options<detail::read_sharded_safetensors>},
    Format{"pytorch_model.bin", ".bin", detail::read_torch_archive},
    Format{"pytorch_model.bin.index.json", ".bin.index.json", detail::read_sharded_torch_archive},
    Format{"variables/variables.index", ".index", detail::read_tensorflow_checkpoint},
};

/// Weights that other programs keep in the same directories.
constexpr std::array<std::string_view, 5> foreign_files{
    "tf_model.h5", "flax_model.msgpack", "model.onnx", "model.ckpt.index", "rust_model.ot"};

std::string looked_for() {
  std::string list;
  for (const Format& format : formats)
    list.append(list.empty() ? "" : ", ").append(format.file);
  return list;
}

Checkpoint open_file(const std::filesystem::path& file, const CheckpointOptions& options) {
  const std::string name = file.filename().string();
  for (const Format& format : formats)
    if (name.ends_with(format.ending)) return format.read(file, options);
  if (detail::Archive::is_named_so(file)) return read_archive(file, options);
  throw UnsupportedError("no weights by the file's name",
                         {.file = file.string(), .expected = looked_for()});
}

}  // namespace

Checkpoint open_checkpoint(const std::filesystem::path& path, const CheckpointOptions& options) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    throw IoError("there is no such model directory",
                  {.file = path.string(), .actual = error ? error.message() : ""});
  if (!std::filesystem::is_directory(status)) return open_file(path, options);
  for (const Format& format : formats)
    if (const auto file = path / format.file; std::filesystem::exists(file, error))
      return format.read(file, options);
  for (const std::string_view foreign : foreign_files)
    if (std::filesystem::exists(path / foreign, error))
      throw UnsupportedError(
          "the directory has weights only in a format that is not read here",
          {.file = path.string(), .expected = looked_for(), .actual = std::string(foreign)});
  throw IoError("the directory has no weights", {.file = path.string(), .expected = looked_for()});
}

}  // namespace klue
