#pragma once

#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace klue::test {

/// A header length, true or not, and what follows it.
inline std::string with_length(std::uint64_t length, std::string_view rest) {
  std::string content(sizeof length, '\0');
  std::memcpy(content.data(), &length, sizeof length);
  return content.append(rest);
}

/// A safetensors file with this header and the bytes 0, 1, 2, … as data.
inline std::string safetensors(std::string_view header, std::size_t data_size = 0) {
  std::string data(data_size, '\0');
  std::iota(data.begin(), data.end(), '\0');
  return with_length(header.size(), std::string(header) + data);
}

/// A safetensors file with one tensor of 4 bytes.
inline std::string safetensors_with(std::string_view name) {
  return safetensors(
      "{\"" + std::string(name) + R"(":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4);
}

/// A float32 tensor to write.
struct FloatTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// A safetensors file with these tensors.
inline std::string safetensors_of(const std::vector<FloatTensor>& tensors) {
  std::string header = "{", data;
  for (const FloatTensor& tensor : tensors) {
    std::string shape;
    for (const std::size_t extent : tensor.shape)
      shape.append(shape.empty() ? "" : ",").append(std::to_string(extent));
    header.append(header.size() == 1 ? "\"" : ",\"").append(tensor.name);
    header.append("\":{\"dtype\":\"F32\",\"shape\":[").append(shape);
    header.append("],\"data_offsets\":[").append(std::to_string(data.size())).append(",");
    data.append(reinterpret_cast<const char*>(tensor.values.data()),
                tensor.values.size() * sizeof(float));
    header.append(std::to_string(data.size())).append("]}");
  }
  header.append("}");
  return with_length(header.size(), header + data);
}

}  // namespace klue::test
