#include <cerrno>
#include <fstream>
#include <functional>
#include <system_error>
#include <thread>

#include <unistd.h>

#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>
#include <klue/hub/detail/cache.hpp>

namespace klue::hub::detail {
namespace {

namespace fs = std::filesystem;

std::string repository_folder(const std::string& repository) {
  std::string folder = "models--" + repository;
  if (const std::size_t slash = folder.find('/'); slash != folder.npos)
    folder.replace(slash, 1, "--");
  return folder;
}

void move_into_place(const fs::path& temporary, const fs::path& file) {
  if (::rename(temporary.c_str(), file.c_str()) == 0) return;
  const int error = errno;
  ::unlink(temporary.c_str());
  errno = error;
  throw_system_error("cannot put the file in its place", file);
}

}  // namespace

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
  if (std::error_code error; !fs::is_regular_file(ref(), error)) return std::nullopt;
  const klue::detail::MappedFile file(ref());  // a FIFO in its place would hold us for ever
  const std::string_view text = file.text();
  std::string_view commit = text.substr(0, text.find('\n'));
  if (commit.ends_with('\r')) commit.remove_suffix(1);
  if (!is_commit(commit)) return std::nullopt;
  return std::string(commit);
}

fs::path CachedRepository::temporary_file() const {
  const fs::path file =
      cache_ / ".locks" / folder_name_ /
      (std::to_string(::getpid()) + "-" +
       std::to_string(std::hash<std::thread::id>{}(std::this_thread::get_id())) + ".tmp");
  make_parent(file);
  ::unlink(file.c_str());
  return file;
}

void CachedRepository::set_commit(const std::string& commit) const {
  if (is_commit(name_.revision) || this->commit() == commit) return;
  const fs::path temporary = temporary_file();
  make_parent(ref());
  std::ofstream file(temporary, std::ios::binary);
  file << commit;
  file.close();
  if (!file) throw_system_error("cannot write", temporary);
  move_into_place(temporary, ref());
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
  // Relative, so that a cache may be moved, or mounted somewhere else.
  const fs::path target = blob(etag).lexically_relative(pointer.parent_path());
  std::error_code error;
  if (fs::read_symlink(pointer, error) == target) return;
  make_parent(pointer);
  const fs::path temporary = temporary_file();
  if (::symlink(target.c_str(), temporary.c_str()) != 0)
    throw_system_error("cannot make a symbolic link", temporary);
  move_into_place(temporary, pointer);
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
