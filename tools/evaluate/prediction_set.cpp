#include "prediction_set.hpp"

#include <limits>
#include <utility>

#include <klue/klue.hpp>

#include "shown.hpp"

namespace evaluate {
namespace {

constexpr const char* kSet = R"({"name": …, "gold": […], "predictions": […]})";

std::string at(const std::string& field, std::size_t index) {
  return field + "[" + std::to_string(index) + "]";
}

// The words that Python's json module writes and JSON does not know become strings.
std::string standard_json(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    if (!in_string)
      for (const std::string_view word : {"NaN", "-Infinity", "Infinity"})
        if (text.substr(i).starts_with(word)) {
          result.append("\"").append(word).append("\"");
          i += word.size();
          break;
        }
    if (i == text.size()) break;
    const char c = text[i++];
    result.push_back(c);
    if (c == '"') in_string = !in_string;
    if (c == '\\' && in_string && i < text.size()) result.push_back(text[i++]);
  }
  return result;
}

}  // namespace

PredictionSet::PredictionSet(std::string_view json, std::string file, std::string place)
    : PredictionSet(std::move(file), std::move(place)) {
  try {
    value_ = nlohmann::json::parse(standard_json(json));
  } catch (const nlohmann::json::exception& error) {
    refuse("", "not valid JSON", kSet, error.what());
  }
  if (!value_.is_object()) refuse("", "not a set of predictions", kSet, shown(value_));
}

PredictionSet PredictionSet::of(nlohmann::json value, std::string file, std::string place) {
  PredictionSet set(std::move(file), std::move(place));
  set.value_ = std::move(value);
  if (!set.value_.is_object()) set.refuse("", "not a set of predictions", kSet, shown(set.value_));
  return set;
}

void PredictionSet::refuse(const std::string& field, const char* message, std::string expected,
                           std::string actual) const {
  throw klue::FormatError(message, {.file = file_,
                                    .field = field.empty() ? place_ : place_ + ": " + field,
                                    .expected = std::move(expected),
                                    .actual = std::move(actual)});
}

std::string PredictionSet::name() const {
  return value_.value("name", nlohmann::json())
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

const nlohmann::json& PredictionSet::list(const char* key) const {
  const auto found = value_.find(key);
  if (found == value_.end()) refuse(key, "missing", "a list");
  if (!found->is_array()) refuse(key, "wrong value", "a list", shown(*found));
  return *found;
}

void PredictionSet::check_length(const char* key) const {
  const std::size_t gold = list("gold").size(), found = list(key).size();
  if (gold != found)
    refuse(key, "not one for each gold label", std::to_string(gold), std::to_string(found));
}

std::vector<std::int32_t> PredictionSet::labels(const char* key, std::int32_t least,
                                                std::int32_t most) const {
  std::vector<std::int32_t> labels;
  for (const nlohmann::json& value : list(key)) {
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() || value.get<std::uint64_t>() < 1000) &&
                      value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most;
    if (!fits)
      refuse(at(key, labels.size()), "no such label",
             "a number from " + std::to_string(least) + " to " + std::to_string(most),
             shown(value));
    labels.push_back(value.get<std::int32_t>());
  }
  return labels;
}

float PredictionSet::number(const nlohmann::json& value, const std::string& field) const {
  if (value.is_number()) return value.get<float>();
  if (value.is_null()) return std::numeric_limits<float>::quiet_NaN();
  if (value.is_string()) {
    const auto& word = value.get_ref<const std::string&>();
    if (word == "nan" || word == "NaN") return std::numeric_limits<float>::quiet_NaN();
    if (word == "inf" || word == "Infinity") return std::numeric_limits<float>::infinity();
    if (word == "-inf" || word == "-Infinity") return -std::numeric_limits<float>::infinity();
  }
  refuse(field, "wrong value", "a number", shown(value));
}

std::vector<float> PredictionSet::numbers(const char* key) const {
  std::vector<float> numbers;
  for (const nlohmann::json& value : list(key))
    numbers.push_back(number(value, at(key, numbers.size())));
  return numbers;
}

std::vector<float> PredictionSet::rows(const char* key, std::size_t columns) const {
  std::vector<float> numbers;
  std::size_t index = 0;
  for (const nlohmann::json& row : list(key)) {
    const std::string field = at(key, index++);
    if (!row.is_array() || row.size() != columns)
      refuse(field, "wrong value", "a list of " + std::to_string(columns) + " numbers",
             row.is_array() ? std::to_string(row.size()) : shown(row));
    for (const nlohmann::json& value : row)
      numbers.push_back(number(value, at(field, numbers.size() % columns)));
  }
  return numbers;
}

std::vector<std::optional<std::string>> PredictionSet::texts(const char* key) const {
  std::vector<std::optional<std::string>> texts;
  for (const nlohmann::json& value : list(key)) {
    if (!value.is_string() && !value.is_null())
      refuse(at(key, texts.size()), "wrong value", "a text", shown(value));
    texts.emplace_back();
    if (value.is_string()) texts.back() = value.get<std::string>();
  }
  return texts;
}

std::vector<std::vector<std::string>> PredictionSet::lists_of_texts(const char* key) const {
  std::vector<std::vector<std::string>> lists;
  for (const nlohmann::json& values : list(key)) {
    const std::string field = at(key, lists.size());
    if (!values.is_array()) refuse(field, "wrong value", "a list of texts", shown(values));
    lists.emplace_back();
    for (const nlohmann::json& value : values) {
      if (!value.is_string())
        refuse(at(field, lists.back().size()), "wrong value", "a text", shown(value));
      lists.back().push_back(value.get<std::string>());
    }
  }
  return lists;
}

}  // namespace evaluate
