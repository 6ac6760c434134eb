#include <cerrno>
#include <fstream>
#include <functional>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <klue/core/error.hpp>
#include <klue/hub/detail/cache.hpp>

namespace klue::hub::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestCommit = 64;

std::string repository_folder(const std::string& repository) {
  std::string folder = "models--" + repository;
  if (const std::size_t slash = folder.find('/'); slash != folder.npos)
    folder.replace(slash, 1, "--");
  return folder;
}

/// Nobody else's at this time.
std::string temporary_name() {
  return std::to_string(::getpid()) + "-" +
         std::to_string(std::hash<std::thread::id>{}(std::this_thread::get_id())) + ".tmp";
}

}  // namespace

std::string first_bytes(const fs::path& path, std::size_t most) {
  std::string bytes(most, '\0');
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // no FIFO waits
  const ssize_t size = descriptor < 0 ? 0 : ::read(descriptor, bytes.data(), most);
  if (descriptor >= 0) ::close(descriptor);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return bytes;
}

void throw_system_error(const char* message, const fs::path& file) {
  throw IoError(message, {.file = file.string(), .actual = std::generic_category().message(errno)});
}

void make_parent(const fs::path& file) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error)
    throw IoError("cannot make the directory in the cache of models",
                  {.file = file.parent_path().string(), .actual = error.message()});
}

CachedRepository::CachedRepository(const fs::path& cache, const Name& name)
    : name_(name),
      folder_name_(repository_folder(name.repository)),
      cache_(cache),
      folder_(cache / folder_name_) {}

std::optional<std::string> CachedRepository::commit() const {
  if (is_commit(name_.revision)) return name_.revision;
  const std::string text = first_bytes(ref(), kLongestCommit);
  const std::string_view line = std::string_view(text).substr(0, text.find_first_of("\r\n"));
  if (!is_commit(line)) return std::nullopt;
  return std::string(line);
}

template <class Make>
void CachedRepository::put(const fs::path& file, const Make& make) const {
  make_parent(file);
  // Away from where anybody looks for models; beside the file only where its folder is a link to
  // another disk, to which nothing can be renamed.
  for (const fs::path& temporary : {cache_ / ".locks" / folder_name_ / temporary_name(),
                                    file.parent_path() / ("." + temporary_name())}) {
    make_parent(temporary);
    ::unlink(temporary.c_str());
    make(temporary);
    if (::rename(temporary.c_str(), file.c_str()) == 0) return;
    const int error = errno;
    ::unlink(temporary.c_str());
    errno = error;
    if (error != EXDEV) break;
  }
  throw_system_error("cannot put the file in its place", file);
}

void CachedRepository::set_commit(const std::string& commit) const {
  if (is_commit(name_.revision) || this->commit() == commit) return;
  put(ref(), [&](const fs::path& temporary) {
    std::ofstream file(temporary, std::ios::binary);
    file << commit;
    file.close();
    if (!file) throw_system_error("cannot write", temporary);
  });
}

fs::path CachedRepository::snapshot(std::string_view commit) const {
  return folder_ / "snapshots" / commit;
}

fs::path CachedRepository::incomplete_blob(std::string_view etag) const {
  fs::path path = blob(etag);
  path += ".incomplete";
  return path;
}

fs::path CachedRepository::lock_file(std::string_view etag) const {
  fs::path path = cache_ / ".locks" / folder_name_ / etag;
  path += ".lock";
  return path;
}

void CachedRepository::link(std::string_view commit, const std::string& file,
                            std::string_view etag) const {
  const fs::path pointer = snapshot(commit) / file;
  const fs::path content = blob(etag);
  std::error_code error;
  const auto leads_there = [&] { return fs::equivalent(pointer, content, error); };
  if (leads_there()) return;
  // Relative, so that a cache may be moved, or mounted somewhere else. Where a folder of the cache
  // is itself a link, to another disk say, ".." is not where it seems to be.
  for (const fs::path& target :
       {content.lexically_relative(pointer.parent_path()), fs::canonical(content, error)}) {
    if (target.empty()) continue;
    put(pointer, [&](const fs::path& temporary) {
      if (::symlink(target.c_str(), temporary.c_str()) != 0)
        throw_system_error("cannot make a symbolic link", temporary);
    });
    if (leads_there()) return;
  }
  throw IoError("the link in the cache of models does not lead to its file",
                {.file = pointer.string(), .expected = content.string()});
}

bool CachedRepository::is_known_missing(std::string_view commit, std::string_view file) const {
  std::error_code error;
  return fs::exists(no_exist(commit, file), error);
}

void CachedRepository::set_known_missing(std::string_view commit, std::string_view file) const {
  const fs::path marker = no_exist(commit, file);
  make_parent(marker);
  if (!std::ofstream(marker)) throw_system_error("cannot write", marker);
}

}  // namespace klue::hub::detail
