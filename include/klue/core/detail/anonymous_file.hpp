#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include <klue/core/detail/mapped_file.hpp>

namespace klue::detail {

/// A file without a name in the folder for temporary files, to be written once and then mapped: for
/// data that is too large for memory of its own and that nobody should find afterwards.
class AnonymousFile {
 public:
  /// Throws IoError where the folder takes no file.
  AnonymousFile();
  AnonymousFile(const AnonymousFile&) = delete;
  AnonymousFile& operator=(const AnonymousFile&) = delete;
  ~AnonymousFile();

  /// Throws IoError where there is no room left.
  void append(std::span<const std::byte> bytes);

  /// What was written. The mapping outlives this object.
  MappedFile map() const;

 private:
  std::filesystem::path folder_;
  int descriptor_ = -1;
};

}  // namespace klue::detail
