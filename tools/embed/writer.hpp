#pragma once

#include <cstddef>
#include <fstream>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/klue.hpp>

#include "options.hpp"

namespace embed {

/// Where the result goes: standard output or the file of --out. Every failure to write is an error,
/// a full disk too.
class Destination {
 public:
  /// Throws klue::IoError where the file cannot be made.
  explicit Destination(const std::string& path);

  void write(std::string_view bytes);
  void finish();

 private:
  void check();

  std::string path_;
  std::ofstream file_;
  std::ostream* stream_;
};

/// Writes vectors one after another in the format of the command line.
class VectorWriter {
 public:
  /// `key`: what the vector of a JSON line is called. `decimals`: of the text format; negative: the
  /// shortest that reads back as the same float.
  VectorWriter(Destination& destination, Format format, std::string key, int decimals = -1);

  void write(std::span<const float> vector);

  /// Ends the output: for npy, gives it the shape [vectors, size].
  void finish(std::size_t vector_size);

 private:
  Destination& destination_;
  Format format_;
  std::string key_;
  int decimals_;
  std::size_t count_ = 0;
  std::string buffer_;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> spool_;  // npy: its header needs the number of vectors
};

/// Writes the token vectors of one text: [tokens, hidden] of the sequence output, or of every
/// layer.
void write_token_vectors(Destination& destination, Format format, std::size_t index,
                         std::span<const klue::Tensor> layers, bool all_layers);

/// Writes whole arrays as one npy file, or as raw floats. More than one array becomes the outermost
/// dimension where `stacked`.
void write_arrays(Destination& destination, Format format, std::span<const klue::Tensor> arrays,
                  bool stacked);

}  // namespace embed
