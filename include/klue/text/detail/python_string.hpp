#pragma once

#include <string>
#include <string_view>

namespace klue::detail {

/// What `str.strip()` of Python leaves of a text: the whitespace at both ends is taken off, that of
/// Unicode (U+00A0, U+3000, …) and the separators U+001C to U+001F included. A view into `text`,
/// which may hold invalid UTF-8. O(what is taken off).
std::string_view python_strip(std::string_view text) noexcept;

/// A text as `str.lower()` of Python gives it: the full mapping of Unicode in no language's special
/// form, with the final sigma. Nothing is decomposed, so Hangul stays as it is. Invalid UTF-8
/// becomes U+FFFD. O(length).
std::string python_lower(std::string_view text);

}  // namespace klue::detail
