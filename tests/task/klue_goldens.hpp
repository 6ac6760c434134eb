#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

/// The reference values of "How KLUE scores" (../shared/goldens/metrics), and the random rule that
/// some of them are made with.
namespace klue::test {

inline std::vector<nlohmann::json> json_lines(const std::filesystem::path& file) {
  std::vector<nlohmann::json> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(nlohmann::json::parse(line));
  return lines;
}

inline nlohmann::json json_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return nlohmann::json::parse(stream);
}

/// A number, or one written as a string: 17 digits, "nan", "inf".
inline double golden_number(const nlohmann::json& value) {
  return value.is_string() ? std::strtod(value.get_ref<const std::string&>().c_str(), nullptr)
                           : value.get<double>();
}

inline std::vector<float> golden_floats(const nlohmann::json& values) {
  std::vector<float> floats;
  for (const nlohmann::json& value : values)
    floats.push_back(static_cast<float>(golden_number(value)));
  return floats;
}

inline std::uint64_t splitmix64(std::uint64_t x) {
  std::uint64_t z = x + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

inline std::uint64_t golden_random(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  return splitmix64(seed * 1000003000003 + a * 1000003 + b);
}

}  // namespace klue::test

/// Equal to the last bit, or both not a number.
#define EXPECT_SAME_NUMBER(found, expected)                                 \
  do {                                                                      \
    const double found_ = (found), expected_ = (expected);                  \
    if (!std::isnan(found_) || !std::isnan(expected_)) {                    \
      EXPECT_EQ(found_, expected_) << "differ by " << (found_ - expected_); \
    }                                                                       \
  } while (false)
