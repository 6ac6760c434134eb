#pragma once

#include <cstdlib>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/error.hpp>

namespace klue::fuzz {

/// Reads every value of every tensor, as a model would, so that a view outside its file is found.
inline void read_all(const Checkpoint::Tensors& tensors, std::size_t file_size) {
  std::vector<float> values;
  for (const auto& [name, view] : tensors) {
    // The readers promise that no tensor is much larger than its file.
    if (view.element_count() > file_size + (1 << 20)) std::abort();
    try {
      values.resize(view.element_count());
      view.read(0, values);
    } catch (const UnsupportedError&) {  // integers
    }
  }
}

}  // namespace klue::fuzz
