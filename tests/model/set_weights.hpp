#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue::test {

/// The first `count` numbers of a tensor of model.safetensors, which is of float32, replaced.
inline void set_weights(const ModelDirectory& directory, const std::string& tensor, float value,
                        std::size_t count) {
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  std::string content = directory.read("model.safetensors");
  const std::byte* begin = checkpoint.tensors().begin()->second.bytes.data();
  for (const auto& [name, view] : checkpoint.tensors())
    begin = std::min(begin, view.bytes.data());
  std::size_t data = 0;
  for (const auto& [name, view] : checkpoint.tensors())
    data += view.bytes.size();
  const auto offset = static_cast<std::size_t>(checkpoint.find(tensor)->bytes.data() - begin);
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(content.data() + (content.size() - data) + offset + i * sizeof value, &value,
                sizeof value);
  directory.write("model.safetensors", content);
}

}  // namespace klue::test
