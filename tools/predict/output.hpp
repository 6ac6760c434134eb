#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

namespace predict {

using Json = nlohmann::ordered_json;

/// One line of JSON. Numbers are the shortest that read back as the same; NaN is null.
std::string json_line(const Json& value);

/// A row of tab-separated fields; tabs and line ends in them become spaces.
std::string tsv_row(std::initializer_list<std::string_view> fields);

/// The number of a line, or another whole one.
std::string number_text(std::size_t number);

/// For people: "0.9731".
std::string score_text(double score);

/// For programs: the shortest that reads back as the same number.
std::string number_text(double number);

/// Marks for people: colours where `colour`, else brackets.
class Marker {
 public:
  explicit Marker(bool colour) : colour_(colour) {}

  /// A place with its label: "[이순신 PS]".
  std::string labelled(std::string_view text, std::string_view label) const;

  /// A place in a text: "【이순신】".
  std::string marked(std::string_view text) const;

  /// The best of several.
  std::string strong(std::string_view text) const;

 private:
  std::string painted(const char* code, std::string_view text) const;

  bool colour_;
};

/// Whether standard output is a terminal whose user has not set NO_COLOR (https://no-color.org).
bool wants_colour();

}  // namespace predict
