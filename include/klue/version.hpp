#pragma once

/// The version of these headers, for C as well. Before 1.0 a minor version may change the API.
#define KLUE_VERSION_MAJOR 0
#define KLUE_VERSION_MINOR 2
#define KLUE_VERSION_PATCH 0
#define KLUE_VERSION_STRING "0.2.0"

#ifdef __cplusplus

#include <string_view>

#include <klue/core/language.hpp>

namespace klue {

/// "0.2.0": the version of the library that is linked, which a shared library may have from other
/// headers than the program.
KLUE_EXPORT std::string_view version() noexcept;

}  // namespace klue

#endif
