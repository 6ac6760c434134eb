#include <algorithm>

#include <klue/hub/detail/name.hpp>

namespace klue::hub::detail {
namespace {

constexpr std::size_t kLongestFileName = 255;  // of the file systems we meet

// ASCII whatever the locale.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// huggingface_hub, utils/_validators.py: "--" stands for "/" in the cache, and ".." would leave it.
bool is_repository(std::string_view text) {
  constexpr std::size_t kLongest = 96;
  if (text.size() > kLongest || text.find("--") != text.npos || text.find("..") != text.npos ||
      text.ends_with(".git"))
    return false;
  const std::size_t slash = text.find('/');
  const auto is_part = [](std::string_view part) {
    return !part.empty() &&
           std::ranges::all_of(part, [](char c) { return is_word(c) || c == '-' || c == '.'; }) &&
           part.front() != '-' && part.front() != '.' && part.back() != '-' && part.back() != '.';
  };
  if (slash == text.npos) return is_part(text);
  return is_part(text.substr(0, slash)) && is_part(text.substr(slash + 1));
}

// What `git check-ref-format` allows, less a few oddities.
bool is_revision(std::string_view text) {
  return is_safe_path(text) && text.find("..") == text.npos &&
         text.find_first_of(" ~^:?*[\\@") == text.npos;
}

}  // namespace

std::optional<Name> parse_name(std::string_view text) {
  const std::size_t at = text.find('@');
  Name name{.repository = std::string(text.substr(0, at))};
  if (at != text.npos) name.revision = text.substr(at + 1);
  if (!is_repository(name.repository) || !is_revision(name.revision)) return std::nullopt;
  return name;
}

bool is_commit(std::string_view text) {
  return text.size() == 40 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_safe_file_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestFileName && name != "." && name != ".." &&
         std::ranges::all_of(name, [](char c) {
           return c != '/' && static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
         });
}

bool is_safe_path(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    if (!is_safe_file_name(path.substr(0, slash))) return false;
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace klue::hub::detail
