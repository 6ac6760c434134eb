#include <klue/version.hpp>

namespace klue {

std::string_view version() noexcept {
  return KLUE_VERSION_STRING;
}

}  // namespace klue
