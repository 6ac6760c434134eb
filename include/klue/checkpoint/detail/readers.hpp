#pragma once

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/archive.hpp>
#include <klue/core/detail/place.hpp>

namespace klue::detail {

/// Reads the header of a safetensors file and maps its data.
/// Format: https://huggingface.co/docs/safetensors (u64 header length, JSON header, data).
/// Names, shapes and offsets are all checked against the file before this returns, so that a view
/// never reaches outside it; the weights themselves are not touched. Memory: the header's tensors.
/// Throws IoError where the file cannot be read, FormatError where it breaks the format, and
/// UnsupportedError for an element type that DType lacks.
Checkpoint read_safetensors(const Place& file);

/// Reads `model.safetensors.index.json` and the shards it names, which must lie beside it. Every
/// tensor that the index lists must be in its shard. Throws as read_safetensors does.
Checkpoint read_sharded_safetensors(const Place& index);

/// Reads a state dict that torch.save wrote: the ZIP archive of PyTorch 1.6 and newer, or the bare
/// pickle of the versions before. The pickle is never run: it can only describe tensors, and
/// whatever else it names is refused by that name. Tensors are views into the mapped file; what is
/// beside them in the dictionary is left alone. Memory: in proportion to the pickle. Throws IoError
/// where the file cannot be read, FormatError where it is damaged, and UnsupportedError where it
/// names other functions, is compressed, encrypted, or big-endian.
Checkpoint read_torch_archive(const Place& file, const CheckpointOptions& options = {});

/// Reads `pytorch_model.bin.index.json` and the shards it names, which must lie beside it. Every
/// tensor that the index lists must be in its shard. Throws as read_torch_archive does.
Checkpoint read_sharded_torch_archive(const Place& index, const CheckpointOptions& options = {});

/// Reads the variables of a TensorFlow SavedModel with a BertEncoder in it, as the TF-Hub modules
/// are: `variables/variables.index` and `variables/variables.data-*`. Also one that was loaded with
/// hub.KerasLayer(trainable=True), trained and saved again. The tensors get their Hugging Face
/// names without prefix ("encoder.layer.0.…") and PyTorch's [out, in] orientation, by their
/// strides: they are views into the mapped files. One Dense layer on top becomes
/// "classifier.weight" and "classifier.bias"; other variables keep their names. encoder_shape() is
/// set. Throws IoError where a file cannot be read, FormatError where one is damaged or the encoder
/// is incomplete, and UnsupportedError where there is no encoder, for big-endian files and
/// partitioned variables, and for compressed indices in a build without Snappy.
Checkpoint read_tensorflow_checkpoint(const Place& index, const CheckpointOptions& options = {});

/// The same of a SavedModel that is packed, wherever in the archive it lies. The tensors are views
/// into what was unpacked. Throws FormatError where there is no SavedModel in the archive.
Checkpoint read_tensorflow_checkpoint(const Archive& archive,
                                      const CheckpointOptions& options = {});

/// klue::open_checkpoint, of any place.
Checkpoint open_place(const Place& place, const CheckpointOptions& options = {});

}  // namespace klue::detail
