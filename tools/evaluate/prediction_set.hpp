#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace evaluate {

/// One set of predictions, a JSON object whose fields are read with their place in the file. Every
/// member throws klue::FormatError that names it.
class PredictionSet {
 public:
  /// Takes NaN, Infinity and -Infinity, which Python's json module writes, too.
  PredictionSet(std::string_view json, std::string file, std::string place);
  /// The object itself.
  static PredictionSet of(nlohmann::json value, std::string file, std::string place);

  bool has(const char* key) const { return value_.contains(key); }
  /// As it stands in the file; "null" where there is none.
  std::string name() const;

  /// Numbers of labels, each in [least, most].
  std::vector<std::int32_t> labels(const char* key, std::int32_t least, std::int32_t most) const;
  /// Numbers as float32; null and "nan" are NaN, "inf" and "-inf" infinite.
  std::vector<float> numbers(const char* key) const;
  /// Rows of `columns` numbers, one after another.
  std::vector<float> rows(const char* key, std::size_t columns) const;
  /// Texts; null is none.
  std::vector<std::optional<std::string>> texts(const char* key) const;
  std::vector<std::vector<std::string>> lists_of_texts(const char* key) const;

  /// As many of `key` as there are gold labels.
  void check_length(const char* key) const;

  [[noreturn]] void refuse(const std::string& field, const char* message, std::string expected,
                           std::string actual = {}) const;

 private:
  PredictionSet(std::string file, std::string place)
      : file_(std::move(file)), place_(std::move(place)) {}
  const nlohmann::json& list(const char* key) const;
  float number(const nlohmann::json& value, const std::string& field) const;

  nlohmann::json value_;
  std::string file_, place_;
};

}  // namespace evaluate
