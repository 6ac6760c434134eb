#pragma once

#include <string>
#include <string_view>

namespace klue::hub::detail {

/// What a server or a file of its says, for an error: at most 200 bytes, and `secret`, which a
/// server may repeat, as ***.
std::string shown_text(std::string_view text, std::string_view secret = {});

/// An address for an error message: without its query, which signs the addresses of storage.
std::string shown_url(std::string_view url, std::string_view secret = {});

}  // namespace klue::hub::detail
