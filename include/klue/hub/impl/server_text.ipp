#include <algorithm>
#include <cstddef>

#include <klue/hub/detail/server_text.hpp>

namespace klue::hub::detail {
namespace {

constexpr std::size_t kLongestShown = 200;

/// Bytes of the UTF-8 character at the front; 0 where there is none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0x80                      ? 1
                           : byte(0) >= 0xC2 && byte(0) < 0xE0 ? 2
                           : byte(0) >= 0xE0 && byte(0) < 0xF0 ? 3
                           : byte(0) >= 0xF0 && byte(0) < 0xF5 ? 4
                                                               : 0;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Overlong forms, surrogates, and what is above U+10FFFF.
  if ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) >= 0xA0) ||
      (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) >= 0x90))
    return 0;
  return size;
}

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return byte < 0x20 || byte == 0x7F;
  return byte == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;  // C1
}

}  // namespace

std::string shown_text(std::string_view text, std::string_view secret) {
  std::string shown;
  while (!text.empty()) {
    std::size_t size = 1;
    std::string_view part = "?";
    if (!secret.empty() && text.starts_with(secret)) {
      size = secret.size();
      part = "***";
    } else if (const std::size_t whole = character_size(text); whole != 0) {
      size = whole;
      part = is_control(text.substr(0, whole)) ? " " : text.substr(0, whole);
    }
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
