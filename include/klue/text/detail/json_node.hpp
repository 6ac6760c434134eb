#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>

namespace klue::detail {

using Json = nlohmann::json;

/// A JSON value with the way to it, so that every error names both.
class Node {
 public:
  Node(const Json& value, std::string file, std::string path)
      : value_(&value), file_(std::move(file)), path_(std::move(path)) {}

  /// A member, none where it is absent or null.
  std::optional<Node> find(const char* key) const {
    require(value_->is_object(), "an object");
    const auto member = value_->find(key);
    if (member == value_->end() || member->is_null()) return std::nullopt;
    return Node(*member, file_, path_.empty() ? key : path_ + "." + key);
  }
  Node at(const char* key) const {
    if (auto member = find(key)) return *std::move(member);
    throw FormatError("missing", {.file = file_, .field = path_.empty() ? key : path_ + "." + key});
  }

  bool is_object() const { return value_->is_object(); }
  bool is_string() const { return value_->is_string(); }
  const Json& json() const { return *value_; }
  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }

  const std::string& string() const {
    require(value_->is_string(), "a string");
    return value_->get_ref<const std::string&>();
  }
  bool boolean() const {
    require(value_->is_boolean(), "true or false");
    return value_->get<bool>();
  }
  /// A whole number in 0…most.
  std::uint64_t number(std::uint64_t most) const {
    const bool fits = value_->is_number_unsigned() && value_->get<std::uint64_t>() <= most;
    require(fits, "a whole number up to " + std::to_string(most));
    return value_->get<std::uint64_t>();
  }
  std::int32_t id() const {
    return static_cast<std::int32_t>(number(std::numeric_limits<std::int32_t>::max() - 1));
  }
  std::vector<Node> elements() const {
    require(value_->is_array(), "an array");
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < value_->size(); ++i)
      nodes.emplace_back((*value_)[i], file_, path_ + "[" + std::to_string(i) + "]");
    return nodes;
  }
  std::vector<std::pair<std::string, Node>> members() const {
    require(value_->is_object(), "an object");
    std::vector<std::pair<std::string, Node>> nodes;
    for (const auto& [key, value] : value_->items())
      nodes.emplace_back(key, Node(value, file_, path_ + "." + key));
    return nodes;
  }

  /// The member's value where it is there, else `fallback`.
  bool boolean_or(const char* key, bool fallback) const {
    const auto member = find(key);
    return member ? member->boolean() : fallback;
  }
  std::string string_or(const char* key, std::string fallback) const {
    const auto member = find(key);
    return member ? member->string() : std::move(fallback);
  }

  [[noreturn]] void unsupported(const std::string& expected) const {
    throw UnsupportedError(
        "not supported", {.file = file_, .field = path_, .expected = expected, .actual = shown()});
  }
  [[noreturn]] void wrong(const std::string& expected) const {
    throw FormatError("wrong value",
                      {.file = file_, .field = path_, .expected = expected, .actual = shown()});
  }

 private:
  void require(bool condition, const std::string& expected) const {
    if (!condition) wrong(expected);
  }
  std::string shown() const {
    if (value_->is_structured()) return value_->is_array() ? "an array" : "an object";
    return value_->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80);
  }

  const Json* value_;
  std::string file_, path_;
};

/// Throws FormatError where the text is not JSON.
inline Json parse_json(std::string_view text, const std::string& file) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw FormatError("not valid JSON", {.file = file, .actual = error.what()});
  }
}

}  // namespace klue::detail
