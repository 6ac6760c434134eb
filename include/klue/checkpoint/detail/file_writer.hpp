#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace klue::detail {

/// A file that is written beside its name and gets it when it is whole. Without commit nothing is
/// left of it.
class FileWriter {
 public:
  explicit FileWriter(std::filesystem::path file);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void append(std::span<const std::byte> bytes);
  void commit();

 private:
  std::filesystem::path file_, part_;
  int descriptor_ = -1;
};

}  // namespace klue::detail
