#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include <klue/core/error.hpp>
#include <klue/klue.h>

namespace klue::detail {

/// A callback has failed after it set this thread's last error, which stays.
struct CallbackFailed {
  klue_status status;
};

inline klue_status keep_error(klue_status status, const Error& error) noexcept {
  return klue_set_error(status, error.what(), error.file().c_str(), error.field().c_str(),
                        error.expected().c_str(), error.actual().c_str());
}

inline klue_status keep_message(klue_status status, const char* message) noexcept {
  return klue_set_error(status, message, "", "", "", "");
}

/// Keeps what the exception that is being handled says as this thread's last error, and returns its
/// kind. To be called in a handler.
///
/// Only inline functions: klue_hub, which is linked by itself, compiles its own.
inline klue_status keep_current_exception() noexcept {
  try {
    throw;
  } catch (const CallbackFailed& failed) {
    return failed.status;
  } catch (const UsageError& error) {
    return keep_error(KLUE_ERROR_USAGE, error);
  } catch (const FormatError& error) {
    return keep_error(KLUE_ERROR_FORMAT, error);
  } catch (const UnsupportedError& error) {
    return keep_error(KLUE_ERROR_UNSUPPORTED, error);
  } catch (const IoError& error) {
    return keep_error(KLUE_ERROR_IO, error);
  } catch (const StoppedError& error) {
    return keep_error(KLUE_STOPPED, error);
  } catch (const std::bad_alloc&) {
    return keep_message(KLUE_ERROR_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return keep_message(KLUE_ERROR_INTERNAL, error.what());
  } catch (...) {
    return keep_message(KLUE_ERROR_INTERNAL, "a callback threw something");
  }
}

/// Runs the body of a function of the C API: nothing is thrown out of it.
template <class Body>
klue_status c_call(const Body& body) noexcept {
  try {
    body();
    return KLUE_OK;
  } catch (...) {
    return keep_current_exception();
  }
}

/// Forgets the last error's kind, before a callback that may set it; and what it has set.
void expect_callback_error() noexcept;
CallbackFailed callback_error() noexcept;

template <class T>
T& require_argument(T* argument, const char* name) {
  if (argument == nullptr)
    throw UsageError("the argument is NULL", {.field = name, .expected = "not NULL"});
  return *argument;
}

/// The options that a caller knows, the others 0; all 0 where `given` is NULL. Throws UsageError
/// where its size makes no sense, and UnsupportedError for options of a newer header that are set.
///
/// A struct grows at its end, behind its padding: what an old program has there is not 0.
template <class Options>
Options read_c_options(const Options* given) {
  constexpr std::size_t kLargest = 4096;
  Options known{};
  if (given == nullptr) return known;
  const std::size_t size = given->struct_size;
  if (size < sizeof(std::size_t) || size > kLargest)
    throw UsageError("the options' size is not set",
                     {.field = "struct_size",
                      .expected = "sizeof of the struct, " + std::to_string(sizeof known) + " here",
                      .actual = std::to_string(size)});
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof known; i < size; ++i)
    if (bytes[i] != 0)
      throw UnsupportedError("an option that this version of the library does not have is set",
                             {.field = "struct_size",
                              .expected = "at most " + std::to_string(sizeof known) + " bytes",
                              .actual = std::to_string(size)});
  std::memcpy(&known, given, size < sizeof known ? size : sizeof known);
  return known;
}

}  // namespace klue::detail
