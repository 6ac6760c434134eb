#include <cmath>
#include <string_view>

#include <klue/core/detail/json_file.hpp>
#include <klue/core/detail/mapped_file.hpp>

namespace klue::detail::json {
namespace {

// Long values are cut: the message is for a person.
std::string shown_value(const nlohmann::json& value) {
  // Writing them out would recurse as deep as the file nests.
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

nlohmann::json parse_text(std::string_view text, const std::filesystem::path& file) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw FormatError("not valid JSON", {.file = file.string(), .actual = error.what()});
  }
}

}  // namespace

Object Object::read(const std::filesystem::path& file) {
  return parse(text_of(MappedFile(file)), file);
}

Object Object::parse(std::string_view text, const std::filesystem::path& file) {
  nlohmann::json value = parse_text(text, file);
  if (!value.is_object())
    throw FormatError("not a JSON object", {.file = file.string(), .actual = shown_value(value)});
  return Object(file, std::move(value));
}

nlohmann::json read_array(const std::filesystem::path& file) {
  nlohmann::json value = parse_text(text_of(MappedFile(file)), file);
  if (!value.is_array())
    throw FormatError("not a JSON array", {.file = file.string(), .actual = shown_value(value)});
  return value;
}

const nlohmann::json& Object::at(const char* key, const char* expected) const {
  const auto found = value_.find(key);
  if (found == value_.end())
    throw FormatError("missing key", {.file = file_.string(), .field = key, .expected = expected});
  return *found;
}

void Object::refuse(const char* key, std::string expected) const {
  throw FormatError("wrong value", {.file = file_.string(),
                                    .field = key,
                                    .expected = std::move(expected),
                                    .actual = shown_value(value_.at(key))});
}

std::uint64_t Object::integer(const char* key, std::uint64_t least, std::uint64_t most) const {
  const nlohmann::json& value = at(key, "a whole number");
  if (value.is_number_unsigned()) {
    const auto n = value.get<std::uint64_t>();
    if (least <= n && n <= most) return n;
  }
  refuse(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

double Object::number(const char* key) const {
  const nlohmann::json& value = at(key, "a number");
  if (value.is_number()) {
    const double x = value.get<double>();
    if (std::isfinite(x)) return x;
  }
  refuse(key, "a finite number");
}

bool Object::boolean(const char* key) const {
  const nlohmann::json& value = at(key, "true or false");
  if (value.is_boolean()) return value.get<bool>();
  refuse(key, "true or false");
}

std::string Object::string(const char* key) const {
  const nlohmann::json& value = at(key, "a string");
  if (value.is_string()) return value.get<std::string>();
  refuse(key, "a string");
}

}  // namespace klue::detail::json
