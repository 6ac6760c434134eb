#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include <klue/core/error.hpp>
#include <klue/hub.hpp>
#include <klue/hub/detail/cache.hpp>

namespace klue::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestToken = 4096;

/// Empty where the variable is unset: huggingface_hub tells the two apart nowhere that matters.
std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path home() {
  const std::string home = variable("HOME");
  if (home.empty())
    throw UsageError("nothing says where the models are kept",
                     {.field = "HOME", .expected = "HOME, HF_HOME or HF_HUB_CACHE to be set"});
  return home;
}

/// Quotes keep the shell from replacing a leading "~"; huggingface_hub replaces it then.
fs::path expanded(const std::string& path) {
  if (path == "~" || path.starts_with("~/")) return home() / fs::path(path).lexically_relative("~");
  return path;
}

fs::path hf_home() {
  if (const std::string own = variable("HF_HOME"); !own.empty()) return expanded(own);
  const std::string caches = variable("XDG_CACHE_HOME");
  return (caches.empty() ? home() / ".cache" : expanded(caches)) / "huggingface";
}

fs::path cache_from_environment() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const std::string path = variable(name); !path.empty()) return expanded(path);
  return hf_home() / "hub";
}

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string token_from_environment() {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
    if (std::string token = trimmed(variable(name)); !token.empty()) return token;
  const std::string path = variable("HF_TOKEN_PATH");
  // No such file is the usual case: most models need no token.
  const std::string text =
      detail::first_bytes(path.empty() ? hf_home() / "token" : expanded(path), kLongestToken);
  return trimmed(text.substr(0, text.find('\n')));
}

bool is_true(std::string value) {
  std::ranges::transform(value, value.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return std::ranges::count(std::array{"1", "ON", "YES", "TRUE"}, value) > 0;
}

std::chrono::seconds timeout_from_environment(std::chrono::seconds otherwise) {
  const std::string text = variable("HF_HUB_DOWNLOAD_TIMEOUT");
  if (text.empty()) return otherwise;
  constexpr int kMost = 24 * 60 * 60;
  int seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || seconds < 1 ||
      seconds > kMost)
    throw UsageError(
        "no number of seconds",
        {.field = "HF_HUB_DOWNLOAD_TIMEOUT", .expected = "1 to 86400", .actual = text});
  return std::chrono::seconds(seconds);
}

}  // namespace

Options Options::from_environment() {
  Options options;
  options.cache = cache_from_environment();
  if (const std::string endpoint = variable("HF_ENDPOINT"); !endpoint.empty())
    options.endpoint = endpoint;
  options.token = token_from_environment();
  options.offline =
      is_true(variable("HF_HUB_OFFLINE")) || is_true(variable("TRANSFORMERS_OFFLINE"));
  options.timeout = timeout_from_environment(options.timeout);
  return options;
}

}  // namespace klue::hub
