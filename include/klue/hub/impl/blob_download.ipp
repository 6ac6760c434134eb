#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/core/error.hpp>
#include <klue/hub/detail/blob_download.hpp>
#include <klue/hub/detail/digest.hpp>
#include <klue/hub/detail/file_lock.hpp>

namespace klue::hub::detail {
namespace {

namespace fs = std::filesystem;

/// Attempts in a row that bring nothing before giving up.
constexpr int kMostVainAttempts = 5;
constexpr std::chrono::milliseconds kFirstPause{100};

/// Of a file whose length the hub does not say, which the real one always does.
constexpr std::uint64_t kMostWithoutSize = std::uint64_t{64} << 20;

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  return error ? 0 : size;
}

/// blobs/ETAG.incomplete, which only the holder of the lock writes.
class IncompleteFile {
 public:
  explicit IncompleteFile(fs::path path) : path_(std::move(path)) {
    make_parent(path_);
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_system_error("cannot open the file", path_);
    size_ = size_of(path_);
  }
  IncompleteFile(const IncompleteFile&) = delete;
  IncompleteFile& operator=(const IncompleteFile&) = delete;
  ~IncompleteFile() { ::close(descriptor_); }

  const fs::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  void clear() {
    if (::ftruncate(descriptor_, 0) != 0) throw_system_error("cannot shorten the file", path_);
    size_ = 0;
  }

  void append(std::span<const char> bytes) {
    while (!bytes.empty()) {
      const ssize_t written =
          ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) throw_system_error("cannot write", path_);
      size_ += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Under its final name the file is whole even after the power fails.
  void become(const fs::path& file) const {
    if (::fsync(descriptor_) != 0) throw_system_error("cannot write", path_);
    if (::rename(path_.c_str(), file.c_str()) != 0)
      throw_system_error("cannot put the file in its place", file);
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Whether the ETag is a hash of the content. Then what was downloaded under its name before is a
/// part of the same file, or at least is found out if it is not.
bool is_sha256(const std::string& etag) {
  return etag.size() == 64 && etag.find_first_not_of("0123456789abcdef") == etag.npos;
}
bool is_hash(const std::string& etag) {
  return is_sha256(etag) || is_commit(etag);
}

/// "bytes 5-99/100": does the part begin where it should, and is the whole as long as it should be?
bool is_part_from(const HttpResponse& response, std::uint64_t offset,
                  std::optional<std::uint64_t> size) {
  const std::string range = response.header("content-range");
  if (!range.starts_with("bytes " + std::to_string(offset) + "-")) return false;
  const std::size_t slash = range.find('/');
  if (slash == range.npos) return false;
  const std::string whole = range.substr(slash + 1);
  return !size || whole == "*" || whole == std::to_string(*size);
}

class BlobDownload {
 public:
  BlobDownload(const Remote& remote, const WantedFile& file, IncompleteFile& incomplete,
               const std::function<void(std::uint64_t)>& progress)
      : remote_(remote), file_(file), incomplete_(incomplete), progress_(progress) {}

  void run() {
    if (!is_hash(file_.info.etag) || !file_.info.size || incomplete_.size() > *file_.info.size)
      incomplete_.clear();
    const bool resumed = incomplete_.size() != 0;
    require_room();
    receive();
    if (const auto problem = find_problem()) {
      incomplete_.clear();
      if (!resumed) throw *problem;
      receive();  // what was there before was not of this file
      if (const auto again = find_problem()) {
        incomplete_.clear();
        throw *again;
      }
    }
  }

 private:
  std::string address() const { return remote_.url_of(file_.commit, file_.name); }
  bool complete() const { return file_.info.size && incomplete_.size() == *file_.info.size; }

  /// A promise that no disk can keep is not worth beginning with.
  void require_room() const {
    std::error_code error;
    const fs::space_info space = fs::space(incomplete_.path(), error);
    const std::uint64_t wanted = file_.info.size.value_or(0) - incomplete_.size();
    if (error || wanted <= space.available || !file_.info.size) return;
    throw IoError("the disk of the cache of models has no room for the file",
                  {.file = incomplete_.path().string(),
                   .expected = std::to_string(wanted) + " bytes",
                   .actual = std::to_string(space.available)});
  }

  /// Reads until everything is there, over as many connections as that takes. Only what goes beyond
  /// all earlier attempts, and comes with the least speed, counts as progress, so that no server
  /// can keep this going for ever.
  void receive() {
    std::uint64_t most = incomplete_.size();
    for (int vain = 0; !complete();) {
      const auto began = std::chrono::steady_clock::now();
      const auto brought_enough = [&] {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        return static_cast<double>(incomplete_.size()) >
               static_cast<double>(most) + took.count() * static_cast<double>(kLeastSpeed) / 2;
      };
      try {
        attempt();
        if (!file_.info.size) return;  // that the answer ended is all there is to know
      } catch (const Unreachable&) {
        if (!file_.info.size) incomplete_.clear();
        if (vain + 1 == kMostVainAttempts && !brought_enough()) throw;
      }
      if (complete()) return;
      vain = brought_enough() ? 0 : vain + 1;
      most = std::max(most, incomplete_.size());
      if (vain == kMostVainAttempts) refuse_as_short();
      if (vain != 0) std::this_thread::sleep_for(kFirstPause * (1 << (vain - 1)));
    }
  }

  void attempt() {
    const std::uint64_t offset = incomplete_.size();
    bool begun = false;
    const long status =
        remote_.read(file_.commit, file_.name, offset,
                     [&](const HttpResponse& response, std::span<const char> bytes) {
                       if (!std::exchange(begun, true)) begin(response, offset);
                       take(bytes);
                     });
    if (status == 416) refuse_as_short();
  }

  [[noreturn]] void refuse_as_short() {
    const std::string received = std::to_string(incomplete_.size());
    incomplete_.clear();
    throw FormatError("the file is shorter than the hub promised",
                      {.file = address(),
                       .expected = std::to_string(file_.info.size.value_or(0)) + " bytes",
                       .actual = received});
  }

  void begin(const HttpResponse& response, std::uint64_t offset) {
    if (response.status == 206 && is_part_from(response, offset, file_.info.size)) return;
    incomplete_.clear();
    if (response.status == 200) return;  // all of it, whatever was asked for
    throw Unreachable("the hub sent another part of the file than was asked for",
                      {.file = address(), .actual = response.header("content-range")});
  }

  void take(std::span<const char> bytes) {
    if (file_.info.size && bytes.size() > *file_.info.size - incomplete_.size()) {
      incomplete_.clear();
      throw FormatError(
          "the file is longer than the hub promised",
          {.file = address(), .expected = std::to_string(*file_.info.size) + " bytes"});
    }
    if (!file_.info.size && bytes.size() > kMostWithoutSize - incomplete_.size()) {
      incomplete_.clear();
      throw FormatError(
          "the hub does not say how long the file is, and it does not end",
          {.file = address(), .expected = std::to_string(kMostWithoutSize) + " bytes at most"});
    }
    incomplete_.append(bytes);
    progress_(incomplete_.size());
  }

  std::optional<FormatError> find_problem() const {
    const std::string& etag = file_.info.etag;
    if (!is_hash(etag)) return std::nullopt;
    const std::string hash =
        is_sha256(etag) ? sha256_of(incomplete_.path()) : git_hash_of(incomplete_.path());
    if (hash == etag) return std::nullopt;
    return FormatError("the downloaded file is damaged: not what the hub promised",
                       {.file = address(),
                        .field = is_sha256(etag) ? "sha256" : "git hash",
                        .expected = etag,
                        .actual = hash});
  }

  const Remote& remote_;
  const WantedFile& file_;
  IncompleteFile& incomplete_;
  const std::function<void(std::uint64_t)>& progress_;
};

}  // namespace

bool has_blob(const CachedRepository& cached, const WantedFile& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(cached.blob(file.info.etag), error);
  return !error && (!file.info.size || size == *file.info.size);
}

void download_blob(const Remote& remote, const CachedRepository& cached, const WantedFile& file,
                   const std::function<void(std::uint64_t)>& progress) {
  const std::string& etag = file.info.etag;
  const FileLock lock(cached.lock_file(etag),
                      [&] { progress(size_of(cached.incomplete_blob(etag))); });
  if (!has_blob(cached, file)) {
    IncompleteFile incomplete(cached.incomplete_blob(etag));
    progress(incomplete.size());
    BlobDownload(remote, file, incomplete, progress).run();
    incomplete.become(cached.blob(etag));
  }
  cached.link(file.commit, file.name, etag);
}

}  // namespace klue::hub::detail
