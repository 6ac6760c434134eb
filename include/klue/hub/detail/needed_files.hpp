#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace klue::hub::detail {

/// Names of files, relative to a repository or a snapshot of it.
using FileList = std::set<std::string, std::less<>>;

/// The files that are in a snapshot; a link to a blob that is gone counts for nothing.
FileList files_in(const std::filesystem::path& snapshot);

/// What of a repository loading its model takes.
struct NeededFiles {
  std::vector<std::string> settings;  ///< configuration, tokenizer, modules, index of shards
  std::vector<std::string> weights;
};

/// Chooses among the files of a repository. What is needed follows in part from files that are
/// needed themselves, modules.json and an index of shards: as far as these are in the snapshot
/// already, they are heeded, so that asking again after fetching the settings gives all.
///
/// Throws UnsupportedError where the repository has no weights that this library reads, FormatError
/// where one of those files makes no sense or names files outside of its folder.
NeededFiles needed_files(const FileList& repository, const std::filesystem::path& snapshot);

/// What a model that is loaded from this snapshot would miss; nothing where it is complete. Throws
/// FormatError as above.
std::optional<std::string> missing_file(const std::filesystem::path& snapshot);

}  // namespace klue::hub::detail
