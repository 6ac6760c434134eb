#include <string_view>

#include <klue/checkpoint/detail/file_kind.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

bool file_begins_with(std::span<const std::byte> bytes, std::string_view prefix) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .starts_with(prefix);
}

}  // namespace

void refuse_placeholder(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  // https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
  if (file_begins_with(bytes, "version https://git-lfs"))
    throw FormatError("a Git LFS pointer, not the weights; run `git lfs pull` where you cloned it",
                      {.file = file.string()});
  if (file_begins_with(bytes, "<!DOCTYPE") || file_begins_with(bytes, "<!doctype") ||
      file_begins_with(bytes, "<html"))
    throw FormatError("a web page, not the weights; download the file itself",
                      {.file = file.string()});
  if (bytes.empty()) throw FormatError("the file is empty", {.file = file.string()});
}

}  // namespace klue::detail
