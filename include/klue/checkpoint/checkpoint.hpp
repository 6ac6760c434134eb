#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

/// Element types that checkpoints store. Little-endian, IEEE where that applies.
enum class DType : std::uint8_t {
  f64,
  f32,
  f16,
  bf16,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean
};

/// Bytes of one element.
KLUE_EXPORT std::size_t dtype_size(DType dtype) noexcept;

/// "F32", "BF16": the spelling of safetensors.
KLUE_EXPORT std::string_view dtype_name(DType dtype) noexcept;

/// One tensor as it lies in its file, not necessarily aligned. A scalar has rank 0 and one element;
/// an extent of 0 makes a tensor without elements.
struct KLUE_EXPORT TensorView {
  DType dtype = DType::f32;          ///< of the elements as they are stored
  std::vector<std::size_t> shape{};  ///< row-major

  /// From the first element to the last. In C order these are exactly
  /// element_count() × dtype_size(dtype) bytes.
  std::span<const std::byte> bytes{};

  /// Distances between neighbours along each dimension, in elements; empty in C order. Kernels of
  /// TensorFlow are transposed this way, and PyTorch stores transposed and repeated tensors so.
  std::vector<std::size_t> strides{};

  /// Product of the extents.
  std::size_t element_count() const noexcept {
    std::size_t count = 1;
    for (const std::size_t extent : shape)
      count *= extent;
    return count;
  }

  /// Converts elements [begin, begin + out.size()), counted in C order whatever the strides, to
  /// float32: exact from f32, f16 and bf16, rounded to nearest from f64. Infinities and NaN stay
  /// what they are. Throws UnsupportedError for integers and UsageError outside the tensor. At
  /// memory speed, for transposed matrices if at least 16 rows are read at a time; no allocation.
  void read(std::size_t begin, std::span<float> out) const;
};

/// The dimensions of an encoder, as far as its tensors tell them: for formats without a
/// configuration file. What tensors cannot tell (the layer norms' epsilon, the activation, which
/// ids are special) has to come from elsewhere.
struct EncoderShape {
  std::size_t layers = 0;        ///< of the encoder
  std::size_t hidden = 0;        ///< width of a token's vector
  std::size_t heads = 0;         ///< of attention
  std::size_t intermediate = 0;  ///< width inside the feed-forward part
  std::size_t vocabulary = 0;    ///< rows of the word embeddings
  std::size_t positions = 0;    ///< rows of the position table, of which row 0 is the first token's
  std::size_t token_types = 0;  ///< rows of the type embeddings
};

/// The tensors of a model by name, whatever file format is behind them. Views stay valid as long as
/// the checkpoint, or a copy of it, lives.
class KLUE_EXPORT Checkpoint {
 public:
  /// Views by name.
  using Tensors = std::map<std::string, TensorView, std::less<>>;

  Checkpoint() = default;
  /// Views into memory that the owners keep; file is what errors name.
  Checkpoint(std::filesystem::path file, Tensors tensors,
             std::vector<std::shared_ptr<const void>> owners, std::string format = {},
             std::optional<EncoderShape> shape = {}, bool mapped = false);

  /// nullptr where there is no tensor of that name. O(log n).
  const TensorView* find(std::string_view name) const;

  /// All of them, by name.
  const Tensors& tensors() const noexcept { return tensors_; }

  /// The file that was opened; errors name it. Of a checkpoint in several files, their index.
  const std::filesystem::path& file() const noexcept { return file_; }

  /// For people: "safetensors", "safetensors in 2 files".
  const std::string& format() const noexcept { return format_; }

  /// A SavedModel, which has no configuration file beside it, and whose heads have no names of
  /// their own.
  bool is_tensorflow() const noexcept { return shape_.has_value(); }

  /// Only of a TensorFlow checkpoint.
  const std::optional<EncoderShape>& encoder_shape() const noexcept { return shape_; }

  /// Whether all tensors are in mapped files: their pages come and go as they are used. Else they
  /// are in memory of the caller's.
  bool is_mapped() const noexcept { return mapped_; }

  /// Tells the system that a tensor will not be read soon, so that its pages stop counting as this
  /// process's memory. Reading it is still right. Nothing where it is not mapped.
  void release(const TensorView& tensor) const noexcept;

  /// What it holds: names, shapes, and distinct_bytes() where it is not mapped. O(n log n).
  std::size_t memory_bytes() const;

  /// Bytes of the files that its tensors use, each counted once, however many share it.
  /// O(n log n).
  std::size_t distinct_bytes() const;

 private:
  std::filesystem::path file_;
  Tensors tensors_;
  std::vector<std::shared_ptr<const void>> owners_;  // what the views point into
  std::string format_;
  std::optional<EncoderShape> shape_;
  bool mapped_ = false;
};

/// How carefully to read.
struct CheckpointOptions {
  /// Compares the data with the checksums that some formats store, which reads all of it once (0.1
  /// to 0.3 s per GB from memory). Checksums of the descriptions of the data are always compared.
  bool verify_checksums = true;
};

/// Opens the weights of a model directory, whichever format they are in. Where there are several,
/// the first of this list is taken:
///
/// 1. `model.safetensors`
/// 2. `model.safetensors.index.json` with the shards it names
/// 3. `pytorch_model.bin`
/// 4. `pytorch_model.bin.index.json` with the shards it names
/// 5. `variables/variables.index` with the data files beside it: a TensorFlow SavedModel
///
/// Also takes the path of one of these files itself, under any name with that ending, and a .tar or
/// .tar.gz of a SavedModel. Throws what
/// the format's reader throws, IoError that lists what it looked for where there is none of it, and
/// UnsupportedError where there are only weights in a format that this library does not read.
KLUE_EXPORT Checkpoint open_checkpoint(const std::filesystem::path& path,
                                       const CheckpointOptions& options = {});

}  // namespace klue
