// Instead of download.cpp where libcurl or OpenSSL were not found at build time.

#include <klue/core/error.hpp>
#include <klue/hub/detail/download.hpp>

namespace klue::hub::detail {

std::filesystem::path download_snapshot(const Name& name, const Options& options,
                                        const CachedRepository&) {
  throw UnsupportedError(
      "built without libcurl: only models that are in the cache can be used",
      {.file = options.cache.string(), .field = name.repository + "@" + name.revision});
}

}  // namespace klue::hub::detail
