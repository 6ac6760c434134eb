#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/checkpoint.hpp>

#include "checkpoint/safetensors_writer.hpp"
#include "checkpoint/scratch_directory.hpp"

namespace klue::test {

inline std::filesystem::path fixture(std::string_view name) {
  return std::filesystem::path(KLUE_FIXTURE_DIR) / name;
}

/// A copy of a fixture that a test may change as it likes.
class ModelDirectory {
 public:
  explicit ModelDirectory(std::string_view name = "tiny-11") {
    std::filesystem::copy(fixture(name), path());
  }

  const std::filesystem::path& path() const { return scratch_.path(); }

  std::string read(std::string_view file) const { return read_bytes(path() / file); }
  void write(std::string_view file, std::string_view content) const {
    scratch_.write(file, content);
  }
  void remove(std::string_view file) const {
    if (!std::filesystem::remove(path() / file))
      throw std::runtime_error("the fixture has no " + std::string(file));
  }

  /// edit(json) changes a JSON file in place.
  template <class Edit>
  void edit_json(std::string_view file, const Edit& edit) const {
    nlohmann::ordered_json value = nlohmann::ordered_json::parse(read(file));
    edit(value);
    write(file, value.dump());
  }

  /// edit(json) changes the header of model.safetensors; the data stays.
  template <class Edit>
  void edit_header(const Edit& edit) const {
    const std::string content = read("model.safetensors");
    std::uint64_t size = 0;
    std::memcpy(&size, content.data(), sizeof size);
    auto header = nlohmann::ordered_json::parse(content.substr(sizeof size, size));
    edit(header);
    const std::string text = header.dump();
    write("model.safetensors", with_length(text.size(), text + content.substr(sizeof size + size)));
  }

 private:
  ScratchDirectory scratch_;
};

/// Calls `call`, which must throw an `Error` of exactly this type, and returns it.
template <class Error, class Call>
Error thrown(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(typeid(error), typeid(Error));
    return error;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type of error: " << error.what();
    return Error("");
  }
  ADD_FAILURE() << "no error at all";
  return Error("");
}

/// Every tensor of a model directory, as float32.
inline std::vector<FloatTensor> tensors_of(const std::filesystem::path& directory) {
  std::vector<FloatTensor> tensors;
  const Checkpoint checkpoint = open_checkpoint(directory);
  for (const auto& [name, view] : checkpoint.tensors()) {
    std::vector<float> values(view.element_count());
    view.read(0, values);
    tensors.push_back({name, view.shape, std::move(values)});
  }
  return tensors;
}

}  // namespace klue::test
