#include <string>

#include <klue/c/detail/last_error.hpp>

namespace klue::detail {
namespace {

struct CError {
  klue_status status = KLUE_OK;
  bool without_memory = false;  // for the strings themselves
  std::string message, file, field, expected, actual;

  void keep(klue_status kind, const char* what, const char* in_file, const char* in_field,
            const char* wanted, const char* found) noexcept {
    status = kind;
    try {
      without_memory = false;
      message = what;
      file = in_file;
      field = in_field;
      expected = wanted;
      actual = found;
    } catch (...) {
      without_memory = true;
    }
  }

  const char* text(const std::string& part) const noexcept {
    return without_memory ? "" : part.c_str();
  }
};

CError& c_error() noexcept {
  thread_local CError error;
  return error;
}

}  // namespace

void expect_callback_error() noexcept {
  c_error().status = KLUE_OK;
}

CallbackFailed callback_error() noexcept {
  if (c_error().status == KLUE_OK) keep_message(KLUE_ERROR_INTERNAL, "a callback failed");
  return {c_error().status};
}

}  // namespace klue::detail

extern "C" {

const char* klue_status_name(klue_status status) {
  switch (status) {
    case KLUE_OK:
      return "ok";
    case KLUE_ERROR_USAGE:
      return "usage";
    case KLUE_ERROR_FORMAT:
      return "format";
    case KLUE_ERROR_UNSUPPORTED:
      return "unsupported";
    case KLUE_ERROR_IO:
      return "io";
    case KLUE_STOPPED:
      return "stopped";
    case KLUE_ERROR_MEMORY:
      return "memory";
    case KLUE_ERROR_INTERNAL:
      return "internal";
    default:
      return "unknown";
  }
}

const char* klue_error_message(void) {
  const auto& error = klue::detail::c_error();
  return error.without_memory ? "out of memory" : error.message.c_str();
}
const char* klue_error_file(void) {
  return klue::detail::c_error().text(klue::detail::c_error().file);
}
const char* klue_error_field(void) {
  return klue::detail::c_error().text(klue::detail::c_error().field);
}
const char* klue_error_expected(void) {
  return klue::detail::c_error().text(klue::detail::c_error().expected);
}
const char* klue_error_actual(void) {
  return klue::detail::c_error().text(klue::detail::c_error().actual);
}

klue_status klue_set_error(klue_status status, const char* message, const char* file,
                           const char* field, const char* expected, const char* actual) {
  const auto text = [](const char* given) { return given != nullptr ? given : ""; };
  klue::detail::c_error().keep(status, text(message), text(file), text(field), text(expected),
                               text(actual));
  return status;
}

}  // extern "C"
