#include "common/demo_model.hpp"

#include <system_error>

#include <sys/auxv.h>

namespace tools {

std::filesystem::path demo_model(std::string_view name) {
  std::error_code error;
  auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  // Where there is no /proc, as in a bare chroot: the name that the kernel was given.
  if (error)
    program = std::filesystem::weakly_canonical(
        reinterpret_cast<const char*>(::getauxval(AT_EXECFN)), error);
  return program.parent_path().parent_path() / KLUE_DEMO_MODELS / name;
}

}  // namespace tools
