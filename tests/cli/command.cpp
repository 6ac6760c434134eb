#include "cli/command.hpp"

#include <charconv>
#include <cstring>

#include <gtest/gtest.h>

namespace klue::test {

std::vector<float> numbers_of(std::string_view line, char separator) {
  std::vector<float> numbers;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(separator));
    float number = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
    EXPECT_EQ(read.ptr, word.data() + word.size()) << "not a number: " << word;
    numbers.push_back(number);
    line.remove_prefix(std::min(line.size(), word.size() + 1));
  }
  return numbers;
}

std::vector<float> floats_of(std::string_view bytes) {
  EXPECT_EQ(bytes.size() % sizeof(float), 0u);
  std::vector<float> floats(bytes.size() / sizeof(float));
  if (!floats.empty()) std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

}  // namespace klue::test
