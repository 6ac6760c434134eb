#include <algorithm>
#include <array>
#include <utility>

#include <klue/checkpoint/detail/archive.hpp>
#include <klue/checkpoint/detail/file_kind.hpp>
#include <klue/checkpoint/detail/gzip.hpp>
#include <klue/checkpoint/detail/tar.hpp>
#include <klue/core/detail/mapped_file.hpp>

namespace klue::detail {
namespace {

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

}  // namespace

bool Archive::has_archive_name(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return std::ranges::any_of(std::array{".tar", ".tar.gz", ".tgz"},
                             [&](const char* ending) { return name.ends_with(ending); });
}

Archive Archive::open(const Place& place) {
  const std::filesystem::path& file = place.path();
  Archive archive;
  archive.file_ = file;
  auto mapped = std::make_shared<MappedFile>(map_file(place));
  refuse_placeholder(file, mapped->bytes());
  const std::size_t file_size = mapped->bytes().size();
  if (is_gzip(mapped->bytes()))  // whatever its name says
    mapped = std::make_shared<MappedFile>(gunzip(file, mapped->bytes()));
  archive.members_ = read_tar(file, mapped->bytes(), file_size);
  archive.mapped_ = mapped->is_mapping();
  archive.owner_ = std::move(mapped);
  return archive;
}

std::optional<std::string> Archive::locate(std::string_view ending) const {
  std::optional<std::string> best;
  std::ptrdiff_t least = 0;
  for (const auto& [path, bytes] : members_) {
    const bool whole = path == ending;
    if (!whole && !(path.ends_with(ending) && path[path.size() - ending.size() - 1] == '/'))
      continue;
    const std::ptrdiff_t depth = std::ranges::count(path, '/');
    if (best && depth >= least) continue;
    best = path;
    least = depth;
  }
  return best;
}

}  // namespace klue::detail
