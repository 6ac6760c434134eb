#include <cstddef>

#include <klue/core/utf8.hpp>
#include <klue/hub/detail/server_text.hpp>

namespace klue::hub::detail {
namespace {

constexpr std::size_t kLongestShown = 200;

}  // namespace

std::string shown_text(std::string_view text, std::string_view secret) {
  std::string shown;
  while (!text.empty()) {
    const bool hidden = !secret.empty() && text.starts_with(secret);
    const std::size_t size = hidden ? secret.size() : decode_utf8(text).length;
    const std::string_view part = hidden ? "***" : text.substr(0, size);
    if (shown.size() + part.size() > kLongestShown) return shown + "...";
    shown.append(part);
    text.remove_prefix(size);
  }
  return shown;
}

std::string shown_url(std::string_view url, std::string_view secret) {
  return shown_text(url.substr(0, url.find_first_of("?#")), secret);
}

}  // namespace klue::hub::detail
