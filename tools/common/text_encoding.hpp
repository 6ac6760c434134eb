#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/byte_source.hpp"

namespace tools {

/// The bytes of `source` as UTF-8. `encoding` is any name that ICU knows ("CP949", "UTF-16LE"), or
/// empty: UTF-8, unless a byte order mark says otherwise. The mark is left out. Bytes that are none
/// of the encoding become U+FFFD; of UTF-8 they stay as they are. Throws klue::UsageError for an
/// encoding that does not exist.
std::unique_ptr<ByteSource> decode_text(std::unique_ptr<HeadSource> source,
                                        const std::string& encoding);

/// Throws klue::UsageError where ICU has no such encoding.
void check_encoding_name(const std::string& encoding);

/// The name of the encoding that `bytes` are likely in, where they are plainly no UTF-8:
/// "UTF-16LE", "CP949", or "" where nothing fits. `bytes` should end with a line.
std::optional<std::string> other_encoding(std::string_view bytes);

/// Looks at lines until it is clear that they are UTF-8.
class EncodingGuard {
 public:
  /// The likely encoding where the lines so far are plainly no UTF-8.
  std::optional<std::string> look(std::string_view line);

 private:
  std::string sample_;
  bool clear_ = false;
};

/// Whether all of it is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// The text with U+FFFD in the place of what is no UTF-8.
std::string valid_utf8(std::string_view text);

}  // namespace tools
