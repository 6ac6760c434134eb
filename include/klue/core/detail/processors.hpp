#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace klue::detail {

/// How many processors' time the process's control group may use, 0.5 for half a processor; nothing
/// where there is no limit. Reads /proc/self/cgroup and the files of version 1 and 2 of the control
/// groups (https://docs.kernel.org/admin-guide/cgroup-v2.html) below `root`.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// Threads that are worth having: the processors that this process may run on (its affinity), or as
/// many as its quota is worth where that is less, rounded up; at least 1.
std::size_t usable_processors(const std::filesystem::path& root = "/");

}  // namespace klue::detail
