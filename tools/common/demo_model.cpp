#include "common/demo_model.hpp"

#include <system_error>

namespace tools {

std::filesystem::path demo_model() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return program.parent_path().parent_path() / KLUE_DEMO_MODEL;
}

}  // namespace tools
