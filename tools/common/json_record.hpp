#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/record_parser.hpp"

namespace tools {

/// JSON lines: {"text": …, "text_pair": …}, or the keys that the options name. The line is read
/// without building a document, so that it needs no more memory than the texts in it.
std::unique_ptr<RecordParser> make_json_parser(const RecordFormat& options);

/// Whether a line is an object with a member.
bool is_json_object(std::string_view line);

/// The text as a JSON string, quotes included; what is no UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

}  // namespace tools
