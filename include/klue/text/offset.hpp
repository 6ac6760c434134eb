#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

/// A half-open range [begin, end) of a text, in bytes of the caller's UTF-8 unless said otherwise.
struct Offset {
  std::size_t begin = 0;  ///< the first
  std::size_t end = 0;    ///< behind the last

  bool operator==(const Offset&) const = default;
};

/// Byte offsets into `text` as offsets in Unicode code points (Python's `str`, Hugging Face's
/// offsets). An ill-formed subsequence counts as one. O(text + offsets log offsets); throws
/// UsageError for an offset behind the end of the text.
KLUE_EXPORT std::vector<Offset> to_code_points(std::string_view text,
                                               std::span<const Offset> offsets);

/// Byte offsets into `text` as offsets in UTF-16 units (JavaScript, Java, ICU). As above.
KLUE_EXPORT std::vector<Offset> to_utf16(std::string_view text, std::span<const Offset> offsets);

}  // namespace klue
