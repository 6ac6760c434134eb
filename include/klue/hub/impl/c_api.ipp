#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>
#include <string>

#include <klue/c/detail/last_error.hpp>
#include <klue/core/error.hpp>
#include <klue/hub.hpp>
#include <klue/klue_hub.h>

namespace klue::hub {
namespace {

Options options_of_c(const klue_hub_options* given) {
  const klue_hub_options asked = klue::detail::read_c_options(given);
  Options options = Options::from_environment();
  if (asked.cache != nullptr) options.cache = asked.cache;
  if (asked.endpoint != nullptr) options.endpoint = asked.endpoint;
  if (asked.token != nullptr) options.token = asked.token;
  if (asked.offline != KLUE_OF_MODEL) options.offline = asked.offline == KLUE_YES;
  if (asked.timeout_seconds != 0) options.timeout = std::chrono::seconds(asked.timeout_seconds);
  if (asked.progress != nullptr)
    options.progress = [report = asked.progress, user = asked.user](const Progress& progress) {
      const std::string file(progress.file);
      if (report(user, file.c_str(), progress.received, progress.total) != 0) throw StoppedError();
    };
  return options;
}

char* c_string_of(const std::string& text) {
  char* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

}  // namespace
}  // namespace klue::hub

extern "C" {

int32_t klue_hub_is_name(const char* text) {
  return text != nullptr && klue::hub::is_name(text) ? 1 : 0;
}

klue_status klue_hub_fetch(const char* name, const klue_hub_options* options, char** directory) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(directory, "directory") = nullptr;
    *directory = klue::hub::c_string_of(
        klue::hub::fetch(&require_argument(name, "name"), klue::hub::options_of_c(options))
            .string());
  });
}

klue_status klue_hub_find_cached(const char* name, const klue_hub_options* options,
                                 char** directory) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(directory, "directory") = nullptr;
    const std::optional<std::filesystem::path> found =
        klue::hub::find_cached(&require_argument(name, "name"), klue::hub::options_of_c(options));
    if (found) *directory = klue::hub::c_string_of(found->string());
  });
}

}  // extern "C"
