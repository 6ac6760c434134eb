#include <system_error>

#include <klue/core/error.hpp>
#include <klue/hub.hpp>
#include <klue/hub/detail/cache.hpp>
#include <klue/hub/detail/download.hpp>
#include <klue/hub/detail/name.hpp>
#include <klue/hub/detail/needed_files.hpp>

namespace klue::hub {
namespace {

namespace fs = std::filesystem;

detail::Name require_name(std::string_view text) {
  if (auto name = detail::parse_name(text)) return *name;
  throw UsageError("no name of a model on the hub",
                   {.field = "name",
                    .expected = "organisation/model, and @revision where it is not main",
                    .actual = std::string(text)});
}

detail::CachedRepository open_cache(const Options& options, const detail::Name& name) {
  if (options.cache.empty())
    throw UsageError("no directory for the cache of models",
                     {.field = "cache", .expected = "a directory, or Options::from_environment()"});
  return {options.cache, name};
}

/// What the cache has of a model.
struct Cached {
  std::optional<fs::path> snapshot{};    ///< where a model can be loaded from it
  std::optional<std::string> missing{};  ///< else: the first file that is not there
  bool certain = false;                  ///< that the repository has nothing more for us
};

Cached look_up(const detail::CachedRepository& repository) {
  const auto commit = repository.commit();
  if (!commit) return {};
  const fs::path snapshot = repository.snapshot(*commit);
  if (auto missing = detail::missing_file(snapshot)) return {.missing = std::move(missing)};
  // Who needed no modules.json left a cache without it; so did who found that there is none, and
  // noted it. Git attributes are in every repository and in no model: whoever has them took all.
  std::error_code error;
  const bool certain = fs::exists(snapshot / "modules.json", error) ||
                       fs::exists(snapshot / ".gitattributes", error) ||
                       repository.is_known_missing(*commit, "modules.json");
  return {.snapshot = snapshot, .certain = certain};
}

}  // namespace

bool is_name(std::string_view text) {
  return detail::parse_name(text).has_value();
}

std::optional<fs::path> find_cached(std::string_view name, const Options& options) {
  return look_up(open_cache(options, require_name(name))).snapshot;
}

fs::path fetch(std::string_view text, const Options& options) {
  const detail::Name name = require_name(text);
  const detail::CachedRepository repository = open_cache(options, name);
  const Cached cached = look_up(repository);
  if (cached.snapshot && (cached.certain || options.offline)) return *cached.snapshot;
  if (options.offline)
    throw IoError("not in the cache of models, and HF_HUB_OFFLINE keeps from downloading it",
                  {.file = options.cache.string(),
                   .field = name.repository + "@" + name.revision,
                   .expected = cached.missing.value_or("")});
  try {
    return detail::download_snapshot(name, options, repository);
  } catch (const Error&) {
    // Only to ask for more than there is: what there is, is as good as before.
    if (const Cached unchanged = look_up(repository); unchanged.snapshot)
      return *unchanged.snapshot;
    throw;
  }
}

}  // namespace klue::hub
