#pragma once

#include <functional>
#include <string>

#include <klue/hub/detail/cache.hpp>
#include <klue/hub/detail/remote.hpp>

namespace klue::hub::detail {

/// A file of a commit that is to come into the cache.
struct WantedFile {
  std::string commit;
  std::string name;
  FileInfo info;
};

/// Whether the cache has its content already, under this commit or another.
bool has_blob(const CachedRepository& cached, const WantedFile& file);

/// Downloads a file's content into the cache's blobs, or goes on with what is there of it, and
/// links it into the snapshot. Waits for another process that is at it. `progress` is told how many
/// of its bytes are there. Throws as `fetch` says; what was downloaded of the file stays for the
/// next time, unless it is wrong.
void download_blob(const Remote& remote, const CachedRepository& cached, const WantedFile& file,
                   const std::function<void(std::uint64_t)>& progress);

}  // namespace klue::hub::detail
