#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tools {

/// Where a result goes. A file gets its name only when it is whole: until then it grows beside it,
/// as NAME.partial, and what stood there before stays as it is. Standard output, a device or a pipe
/// is written to directly. Every failure to write is a klue::IoError, a full disk above all.
class OutputFile {
 public:
  /// "-": standard output. Throws where the file cannot be made, or another run is writing it.
  /// `keep`: what NAME.partial holds stays, and stays there when this object goes unfinished.
  explicit OutputFile(const std::string& name, bool keep = false);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Appends; in blocks, so `flush` what somebody is waiting for.
  void write(std::string_view bytes);
  void flush();

  /// Writes over the beginning, where that can be done.
  void patch(std::string_view bytes, std::uint64_t position = 0);
  bool can_patch() const noexcept { return patchable_; }

  /// Waits until all of it is on the disk.
  void sync();

  /// Makes it this long and goes on behind that.
  void truncate(std::uint64_t size);

  /// Bytes written, what was kept included.
  std::uint64_t size() const noexcept { return size_; }

  /// Flushes, and gives a file its name.
  void finish();

  /// NAME.partial; empty where there is none.
  const std::filesystem::path& partial() const noexcept { return partial_; }
  /// The file itself, links followed; empty for standard output and what is no regular file.
  const std::filesystem::path& target() const noexcept { return target_; }

 private:
  void open_directly(const std::string& name);
  void open_partial(bool keep);
  void put(std::string_view bytes);
  [[noreturn]] void fail(int error);

  std::string name_;  // as messages have it
  std::filesystem::path target_, partial_;
  int descriptor_ = -1, broken_ = 0;
  bool owned_ = false, patchable_ = false, keep_ = false, finished_ = false;
  std::uint64_t begin_ = 0, size_ = 0;  // where standard output began; bytes written
  std::string buffer_;
};

/// Writes a small file so that it is there whole or as it was before, and on the disk.
void replace_file(const std::filesystem::path& file, std::string_view content);

/// Puts the renames in a folder on the disk.
void sync_folder_of(const std::filesystem::path& file);

/// Throws klue::UsageError where the output (or what it grows as) is one of these files, by
/// whatever name. Files that do not exist are no one. `option` is the one that names the output.
void refuse_same_file(const std::string& output, const std::filesystem::path& input,
                      const char* what, const char* option = "--out");

/// The same for every file in a folder.
void refuse_file_of(const std::string& output, const std::filesystem::path& folder,
                    const char* what, const char* option = "--out");

}  // namespace tools
