#pragma once

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace klue::test {

/// An array that NumPy saved: little-endian float32 or float64 in C order, widened to double.
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

inline NpyArray read_npy(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  if (bytes.size() < 10 || bytes.compare(0, 6, "\x93NUMPY") != 0)
    throw std::runtime_error("not an npy file: " + file.string());
  const std::size_t header_size =
      static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  const std::string header = bytes.substr(10, header_size);
  NpyArray array;
  std::smatch match;
  std::regex_search(header, match, std::regex(R"('shape': \(([0-9, ]*)\))"));
  const std::string extents = match[1];
  std::size_t count = 1;
  const std::regex number("[0-9]+");
  for (std::sregex_iterator it(extents.begin(), extents.end(), number), end; it != end; ++it) {
    array.shape.push_back(std::stoul(it->str()));
    count *= array.shape.back();
  }
  array.values.resize(count);
  const char* data = bytes.data() + 10 + header_size;
  const bool wide = header.find("'<f8'") != std::string::npos;
  if (bytes.size() != 10 + header_size + count * (wide ? 8 : 4))
    throw std::runtime_error("wrong size: " + file.string());
  for (double& value : array.values) {
    float narrow = 0;
    if (wide)
      std::memcpy(&value, data, 8);
    else
      std::memcpy(&narrow, data, 4), value = static_cast<double>(narrow);
    data += wide ? 8 : 4;
  }
  return array;
}

}  // namespace klue::test
