#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <klue/core/detail/anonymous_file.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

[[noreturn]] void fail(const char* message, const std::filesystem::path& folder) {
  throw IoError(message,
                {.file = folder.string(), .actual = std::generic_category().message(errno)});
}

std::filesystem::path temporary_folder() {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  if (error)
    throw IoError("there is no folder for temporary files: set TMPDIR",
                  {.file = folder.string(), .actual = error.message()});
  return folder;
}

// A file that never had a name where the file system can do that, else one that loses it at once.
int open_without_name(const std::filesystem::path& folder) {
#ifdef O_TMPFILE
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
#endif
  std::string name = (folder / "klue-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

AnonymousFile::AnonymousFile()
    : folder_(temporary_folder()), descriptor_(open_without_name(folder_)) {
  if (descriptor_ < 0) fail("cannot make a temporary file", folder_);
}

AnonymousFile::~AnonymousFile() {
  ::close(descriptor_);
}

void AnonymousFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      fail("cannot write a temporary file", folder_);
  }
}

MappedFile AnonymousFile::map() const {
  return MappedFile::of_descriptor(descriptor_, folder_);
}

}  // namespace klue::detail
