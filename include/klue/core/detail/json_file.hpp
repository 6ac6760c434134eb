#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>

namespace klue::detail::json {

/// A JSON object together with the file it came from, so that whatever is wrong with a value is
/// reported with its place. Private to the library: JSON types stay out of public headers.
class Object {
 public:
  /// Throws IoError, or FormatError where the file is not one JSON object.
  static Object read(const std::filesystem::path& file);

  /// The same from memory; `file` is only named in errors.
  static Object parse(std::string_view text, const std::filesystem::path& file);

  bool has(const char* key) const { return value_.contains(key); }
  const nlohmann::json& value() const noexcept { return value_; }
  const std::filesystem::path& file() const noexcept { return file_; }

  /// A whole number in [least, most]. Throws FormatError for anything else, 2.0 and "2" included.
  std::uint64_t integer(const char* key, std::uint64_t least, std::uint64_t most) const;
  /// A finite number.
  double number(const char* key) const;
  bool boolean(const char* key) const;
  std::string string(const char* key) const;

 private:
  Object(std::filesystem::path file, nlohmann::json value)
      : file_(std::move(file)), value_(std::move(value)) {}
  const nlohmann::json& at(const char* key, const char* expected) const;
  [[noreturn]] void refuse(const char* key, std::string expected) const;

  std::filesystem::path file_;
  nlohmann::json value_;
};

/// A file that holds one JSON array. Throws as Object::read does.
nlohmann::json read_array(const std::filesystem::path& file);

}  // namespace klue::detail::json
