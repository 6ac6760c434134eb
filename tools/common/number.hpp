#pragma once

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

namespace tools {

/// The finite number that a text is, with nothing before or behind it.
///
/// By strtod, since libc++ has no from_chars for these; no command sets a locale in which it would
/// read anything but "1.5".
inline std::optional<double> finite_number(const std::string& text) {
  if (text.find_first_not_of("0123456789+-.eE") != text.npos || text.starts_with('+'))
    return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

}  // namespace tools
