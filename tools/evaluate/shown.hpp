#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace evaluate {

/// A JSON value in a message for a person: a long one is cut.
inline std::string shown(const nlohmann::json& value) {
  if (value.is_structured()) return value.is_array() ? "a list" : "an object";
  std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace evaluate
