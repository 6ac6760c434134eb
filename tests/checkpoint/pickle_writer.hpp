#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/zip_writer.hpp"

/// Pieces of pickles, by their opcodes.
namespace klue::test {

inline const std::string protocol_2 = "\x80\2", ordered_dict = "ccollections\nOrderedDict\n)R",
                         rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";

inline std::string pickled_text(std::string_view value) {
  return "X" + little_endian(static_cast<std::uint32_t>(value.size())) + std::string(value);
}

inline std::string pickled_number(std::int64_t value) {
  return std::string("\x8a\x08", 2) + little_endian(value);
}

inline std::string pickled_numbers(const std::vector<std::int64_t>& values) {
  std::string tuple = "(";
  for (const std::int64_t value : values)
    tuple += pickled_number(value);
  return tuple + "t";
}

/// The storage data/0.
inline std::string pickled_storage(std::int64_t elements,
                                   const std::string& type = "FloatStorage") {
  return "(" + pickled_text("storage") + "ctorch\n" + type + "\n" + pickled_text("0") +
         pickled_text("cpu") + pickled_number(elements) + "tQ";
}

inline std::string pickled_tensor(const std::string& of_storage, std::int64_t offset,
                                  const std::vector<std::int64_t>& shape,
                                  const std::vector<std::int64_t>& strides) {
  return rebuild + "(" + of_storage + pickled_number(offset) + pickled_numbers(shape) +
         pickled_numbers(strides) + "\x89" + ordered_dict + "tR";
}

}  // namespace klue::test
