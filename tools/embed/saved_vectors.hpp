#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <klue/core/tensor.hpp>
#include <klue/search.hpp>

namespace embed {

/// Vectors that were saved as .npy (little-endian float32, C order, two dimensions) or .fbin,
/// mapped into memory.
class SavedVectors {
 public:
  /// Throws klue::IoError and klue::FormatError.
  explicit SavedVectors(const std::string& file);
  ~SavedVectors();
  SavedVectors(const SavedVectors&) = delete;
  SavedVectors& operator=(const SavedVectors&) = delete;

  const klue::VectorsView& view() const noexcept { return view_; }

 private:
  void map(const std::string& file);

  void* mapping_ = nullptr;
  std::size_t size_ = 0;
  klue::VectorsView view_;
};

}  // namespace embed
