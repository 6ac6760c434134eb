#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <klue/core/tensor.hpp>

#include "common/output_file.hpp"
#include "common/record_parser.hpp"
#include "options.hpp"

namespace embed {

/// What vectors are written as.
struct VectorLayout {
  Format format = Format::text;
  Dtype dtype = Dtype::f32;
  std::string key = "embedding";  ///< what the vector of a JSON line is called
  bool with_text = false;         ///< jsonl and csv: the text beside the vector
  std::size_t width = 0;          ///< numbers of each vector
  int decimals = -1;              ///< of text; negative: the shortest that reads back the same
  /// How many there will be, where that is known. npy and fbin say it in front: without it the
  /// output must be a file whose beginning can be written last, else the vectors wait in memory.
  std::optional<std::size_t> count{};
};

/// Writes vectors one after another.
class VectorWriter {
 public:
  VectorWriter(tools::OutputFile& file, VectorLayout layout);

  /// Begins the output, or goes on behind `count` vectors that are there.
  void begin();
  void resume(std::size_t count) { count_ = count; }

  /// `record`: for its id and its text; may be nullptr. A vector for a null record is NaN.
  void write(std::span<const float> vector, std::size_t index, const tools::Record* record);

  /// Makes what has been written so far a whole file, as far as the format allows.
  void settle();

  /// Ends the output. Throws klue::Error where another number of vectors came than was known.
  void finish();

  std::size_t count() const noexcept { return count_; }

 private:
  std::string header(std::size_t count) const;
  bool has_header() const {
    return layout_.format == Format::npy || layout_.format == Format::fbin;
  }
  void append_line(std::span<const float> vector, std::size_t index, const tools::Record* record);

  tools::OutputFile& file_;
  VectorLayout layout_;
  bool in_memory_ = false;
  std::size_t count_ = 0;
  std::string buffer_, memory_;
};

/// The bytes in front of the vectors of a file: 128 for npy, 8 for fbin.
std::string vectors_header(Format format, Dtype dtype, std::size_t count, std::size_t width);

/// Writes the token vectors of one text: [tokens, hidden] of the sequence output, or of every
/// layer.
void write_token_vectors(tools::OutputFile& file, Format format, std::size_t index,
                         std::span<const klue::Tensor> layers, bool all_layers);

/// Writes whole arrays as one npy file, or as raw floats. More than one array becomes the outermost
/// dimension where `stacked`.
void write_arrays(tools::OutputFile& file, Format format, std::span<const klue::Tensor> arrays,
                  bool stacked);

/// Appends the shortest decimal that reads back as the same float; null where JSON has no number.
void append_json_number(std::string& text, float value);

/// "0.8370": a similarity, for people.
void append_fixed(std::string& text, float similarity);

/// Appends a value of comma-separated ones, in quotes where it needs them.
void append_csv_text(std::string& line, std::string_view text);

}  // namespace embed
