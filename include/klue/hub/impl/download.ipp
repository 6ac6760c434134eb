#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <klue/hub/detail/blob_download.hpp>
#include <klue/hub/detail/download.hpp>
#include <klue/hub/detail/needed_files.hpp>
#include <klue/hub/detail/remote.hpp>

namespace klue::hub::detail {
namespace {

namespace fs = std::filesystem;

/// Adds up what the files of one call have received, and passes it on now and then.
class ProgressCount {
 public:
  explicit ProgressCount(const Options& options) : report_(options.progress) {}

  void add(const WantedFile& file) { total_ += file.info.size.value_or(0); }

  void received(const WantedFile& file, std::uint64_t bytes) {
    const bool whole = bytes == file.info.size;
    const auto now = std::chrono::steady_clock::now();
    if (!report_ || (!whole && now < next_)) return;
    next_ = now + kBetweenReports;
    report_({.file = file.name, .received = finished_ + bytes, .total = total_});
  }

  void finish(const WantedFile& file) { finished_ += file.info.size.value_or(0); }

 private:
  static constexpr std::chrono::milliseconds kBetweenReports{100};

  const std::function<void(const Progress&)>& report_;
  std::uint64_t finished_ = 0, total_ = 0;
  std::chrono::steady_clock::time_point next_{};
};

class SnapshotDownload {
 public:
  SnapshotDownload(const Name& name, const Options& options, const CachedRepository& cached)
      : cached_(cached),
        http_(options.timeout),
        remote_(name, options, http_),
        progress_(options) {}

  fs::path run() {
    listing_ = remote_.list();
    snapshot_ = cached_.snapshot(listing_.commit);
    NeededFiles needed = needed_files(listing_.files, snapshot_);
    // What one of the settings says may make other files needed.
    while (fetch_missing(needed.settings, needed.weights))
      needed = needed_files(listing_.files, snapshot_);
    fetch_missing(needed.weights);
    if (!listing_.files.contains("modules.json"))
      cached_.set_known_missing(listing_.commit, "modules.json");
    // Last, so that a revision never leads to a snapshot that is not all there.
    cached_.set_commit(listing_.commit);
    return snapshot_;
  }

 private:
  /// Fetches the files that are not in the snapshot; true where there were any. Asks for the sizes
  /// of those that come `later`, too, so that the progress tells early how much there is to come.
  bool fetch_missing(const std::vector<std::string>& names,
                     const std::vector<std::string>& later = {}) {
    const std::vector<const WantedFile*> files = describe_missing(names);
    describe_missing(later);
    for (const WantedFile* file : files) {
      download_blob(remote_, cached_, *file,
                    [&](std::uint64_t bytes) { progress_.received(*file, bytes); });
      progress_.finish(*file);
      fetched_.insert(file->name);
    }
    return !files.empty();
  }

  std::vector<const WantedFile*> describe_missing(const std::vector<std::string>& names) {
    const FileList present = files_in(snapshot_);
    std::vector<const WantedFile*> missing;
    for (const std::string& name : names) {
      if (present.contains(name)) continue;
      if (fetched_.contains(name))  // else it would be fetched for ever
        throw IoError("the file was downloaded, but is not in the cache of models",
                      {.file = (snapshot_ / name).string()});
      auto known = wanted_.find(name);
      if (known == wanted_.end()) {
        const WantedFile file{listing_.commit, name, remote_.info(listing_.commit, name)};
        progress_.add(file);
        known = wanted_.emplace(name, file).first;
      }
      missing.push_back(&known->second);
    }
    return missing;
  }

  const CachedRepository& cached_;
  Http http_;
  Remote remote_;
  ProgressCount progress_;
  Listing listing_;
  fs::path snapshot_;
  std::map<std::string, WantedFile> wanted_;
  FileList fetched_;
};

}  // namespace

fs::path download_snapshot(const Name& name, const Options& options,
                           const CachedRepository& cached) {
  return SnapshotDownload(name, options, cached).run();
}

}  // namespace klue::hub::detail
