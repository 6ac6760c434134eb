#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "hub/hub_server.hpp"
#include "hub/hub_test.hpp"

namespace klue::test {

namespace fs = std::filesystem;

/// Of a repository: path → content.
using Files = std::map<std::string, std::string>;

inline std::string random_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

/// What klue/roberta-base holds in these tests: all that is fetched, and more.
inline const Files& small_model() {
  static const Files files{{".gitattributes", "*.bin filter=lfs"},
                           {"README.md", "A model."},
                           {"config.json", R"({"model_type": "roberta"})"},
                           {"tokenizer.json", R"({"version": "1.0"})"},
                           {"tokenizer_config.json", "{}"},
                           {"vocab.txt", "[PAD]\n"},
                           {"model.safetensors", random_bytes(300'000)},
                           {"pytorch_model.bin", random_bytes(300'000, 2)},
                           {"tf_model.h5", "not ours"},
                           {"onnx/model.onnx", "not ours"}};
  return files;
}

inline constexpr const char* kName = "klue/roberta-base";

/// A hub with a small model, and an empty cache.
class HubFetch : public testing::Test {
 protected:
  HubFetch() { commit_ = server_.publish(kName, small_model()); }

  hub::Options options() const {
    return {.cache = cache_.path(),
            .endpoint = server_.endpoint(),
            .timeout = std::chrono::seconds(60)};
  }
  fs::path fetch(const std::string& name = kName) const { return hub::fetch(name, options()); }
  fs::path folder() const { return cache_.path() / "models--klue--roberta-base"; }
  fs::path snapshot() const { return folder() / "snapshots" / commit_; }
  fs::path blob_of(const std::string& content) const {
    return folder() / "blobs" / sha256_of_text(content);
  }

  /// Everything that is under a final name is whole, whatever happened before.
  void expect_whole_files_only() const {
    for (const auto& [name, content] : tree_of(folder() / "blobs")) {
      if (name.ends_with(".incomplete")) continue;
      EXPECT_THAT((std::set{sha256_of_text(content), git_hash_of_text(content)}),
                  testing::Contains(name));
    }
  }

  const std::string& weights() const { return small_model().at("model.safetensors"); }

  HubServer server_;
  ScratchDirectory cache_;
  std::string commit_;
};

}  // namespace klue::test
