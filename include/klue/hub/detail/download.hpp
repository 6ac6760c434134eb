#pragma once

#include <filesystem>

#include <klue/hub.hpp>
#include <klue/hub/detail/cache.hpp>
#include <klue/hub/detail/name.hpp>

namespace klue::hub::detail {

/// Brings what is missing of a model into the cache and returns its snapshot. Throws Unreachable
/// (hub/http.hpp) where the network fails, UnsupportedError in a build without libcurl, and else as
/// `fetch` says.
std::filesystem::path download_snapshot(const Name& name, const Options& options,
                                        const CachedRepository& cached);

}  // namespace klue::hub::detail
