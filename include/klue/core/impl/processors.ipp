#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <sched.h>

#include <klue/core/detail/processors.hpp>

namespace klue::detail {
namespace {

using OptionalQuota = std::optional<double>;

OptionalQuota lesser_quota(OptionalQuota a, OptionalQuota b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

OptionalQuota quota_of(double time, double period) {
  if (!(time > 0) || !(period > 0)) return std::nullopt;  // -1: no limit
  return time / period;
}

// cpu.max of version 2: "50000 100000", or "max 100000".
OptionalQuota quota_of_v2(const std::filesystem::path& group) {
  std::ifstream file(group / "cpu.max");
  double time = 0, period = 0;
  if (!(file >> time >> period)) return std::nullopt;
  return quota_of(time, period);
}

OptionalQuota quota_of_v1(const std::filesystem::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double time = 0, period = 0;
  if (!(quota_file >> time) || !(period_file >> period)) return std::nullopt;
  return quota_of(time, period);
}

// A group is held to the limits of those above it. In a container its path may be the one outside,
// of which nothing is there but the group itself, as the top.
template <class QuotaOf>
OptionalQuota least_quota(const std::filesystem::path& mount, std::string_view path,
                          const QuotaOf& quota_of_group) {
  std::filesystem::path group = mount;
  OptionalQuota least = quota_of_group(group);
  for (const std::filesystem::path& part : std::filesystem::path(path).relative_path()) {
    if (part == "..") break;  // outside of what this process sees
    group /= part;
    least = lesser_quota(least, quota_of_group(group));
  }
  return least;
}

// Whether "cpu,cpuacct" has "cpu" in it.
bool controls_cpu(std::string_view controllers) {
  while (true) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == controllers.npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

std::size_t processors_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
    return static_cast<std::size_t>(CPU_COUNT(&set));
  const unsigned all = std::thread::hardware_concurrency();
  return all == 0 ? 1 : all;
}

}  // namespace

std::optional<double> cpu_quota(const std::filesystem::path& root) {
  const std::filesystem::path groups = root / "sys" / "fs" / "cgroup";
  std::ifstream file(root / "proc" / "self" / "cgroup");
  OptionalQuota least;
  for (std::string line; std::getline(file, line);) {  // "0::/a/b" and "4:cpu,cpuacct:/a/b"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      least = lesser_quota(least, least_quota(groups, path, quota_of_v2));
      least = lesser_quota(least, least_quota(groups / "unified", path, quota_of_v2));
    } else if (controls_cpu(controllers)) {
      for (const std::string& folder : {controllers, std::string("cpu")})
        least = lesser_quota(least, least_quota(groups / folder, path, quota_of_v1));
    }
  }
  return least;
}

std::size_t usable_processors(const std::filesystem::path& root) {
  const std::size_t processors = processors_of_affinity();
  const OptionalQuota quota = cpu_quota(root);
  if (!quota || *quota >= static_cast<double>(processors)) return processors;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(*quota)));
}

}  // namespace klue::detail
