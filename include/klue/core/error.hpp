#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <klue/core/language.hpp>

namespace klue {

/// Where an error was found and what was wrong there. Every part may be empty.
struct ErrorContext {
  std::string file{};      ///< path of the file that was being read
  std::string field{};     ///< tensor name, JSON key, flag or argument
  std::string expected{};  ///< what would have been right
  std::string actual{};    ///< what was found
};

/// Base of everything the library throws on purpose. `what()` is one line for people, made of the
/// message and the context: `model.safetensors: roberta.pooler.dense.weight: wrong shape (expected
/// [768, 768], found [768, 1024])`. What comes from files is in it as valid UTF-8, its control
/// characters escaped (`\n`, `\u001b`), long parts cut; the parts below are as they were found.
/// Only std::bad_alloc can reach a caller beside it.
class KLUE_EXPORT Error : public std::runtime_error {
 public:
  /// One line for people is made of both.
  explicit Error(std::string_view message, ErrorContext context = {});

  /// The file that it is about, or empty.
  const std::string& file() const noexcept { return context_.file; }
  /// The field of that file, or the argument; or empty.
  const std::string& field() const noexcept { return context_.field; }
  /// What would have been right, or empty.
  const std::string& expected() const noexcept { return context_.expected; }
  /// What was found, or empty.
  const std::string& actual() const noexcept { return context_.actual; }

 private:
  ErrorContext context_;
};

/// The caller asked for something that cannot be: a wrong argument, an output the model lacks.
class KLUE_EXPORT UsageError : public Error {
  using Error::Error;
};

/// A file is there but is not what it claims to be, or contradicts another file.
class KLUE_EXPORT FormatError : public Error {
  using Error::Error;
};

/// A file is sound but asks for something this library (or this build of it) does not do.
class KLUE_EXPORT UnsupportedError : public Error {
  using Error::Error;
};

/// The operating system refused: no such file, no permission, a full disk.
class KLUE_EXPORT IoError : public Error {
  using Error::Error;
};

/// A stop token of the caller's asked for the end. Nothing is wrong, and nothing came of the call.
class StoppedError : public Error {
 public:
  StoppedError() : Error("stopped") {}
};

}  // namespace klue
