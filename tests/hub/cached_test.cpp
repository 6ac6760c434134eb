// Models that are in the cache already, put there as huggingface_hub does it: no network at all.

#include <fstream>

#include <gmock/gmock.h>

#include "hub/hub_test.hpp"

namespace klue::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

/// A cache of klue/roberta-base in the layout of huggingface_hub, links and all.
class MadeCache {
 public:
  MadeCache() { set_ref("main", kCommit); }

  hub::Options options() const {
    // Nobody listens there, and asking would be an error.
    return {.cache = directory_.path(), .endpoint = "http://127.0.0.1:1"};
  }
  fs::path folder() const { return directory_.path() / "models--klue--roberta-base"; }
  fs::path snapshot() const { return folder() / "snapshots" / kCommit; }

  void set_ref(const std::string& revision, const std::string& commit) const {
    directory_.write("models--klue--roberta-base/refs/" + revision, commit);
  }

  /// Adds a file, as a link to a blob.
  void add(const std::string& name, const std::string& content = "{}") const {
    std::string etag = "etag-of-" + name;
    std::ranges::replace(etag, '/', '-');
    directory_.write("models--klue--roberta-base/blobs/" + etag, content);
    const fs::path pointer = snapshot() / name;
    fs::create_directories(pointer.parent_path());
    fs::create_symlink((folder() / "blobs" / etag).lexically_relative(pointer.parent_path()),
                       pointer);
  }
  void add_all(std::initializer_list<const char*> names) const {
    for (const char* name : names)
      add(name);
  }
  /// Notes that the repository has no such file.
  void add_missing(const std::string& name) const {
    directory_.write("models--klue--roberta-base/.no_exist/" + std::string(kCommit) + "/" + name,
                     "");
  }

 private:
  ScratchDirectory directory_;
};

TEST(HubCached, ACompleteSnapshot) {
  for (const char* tokenizer : {"tokenizer.json", "vocab.txt"})
    for (const char* weights : {"model.safetensors", "pytorch_model.bin"}) {
      const MadeCache cache;
      cache.add_all({"config.json", tokenizer, weights});
      cache.add_missing("modules.json");
      EXPECT_EQ(hub::find_cached("klue/roberta-base", cache.options()), cache.snapshot());
      EXPECT_EQ(hub::fetch("klue/roberta-base", cache.options()), cache.snapshot());
    }
}

TEST(HubCached, AWholeRepositoryTellsThatThereAreNoModules) {
  const MadeCache cache;
  cache.add_all(
      {".gitattributes", "README.md", "config.json", "tokenizer.json", "model.safetensors"});
  EXPECT_EQ(hub::fetch("klue/roberta-base", cache.options()), cache.snapshot());
}

TEST(HubCached, WithoutAWordOnModulesItIsUsedWhereTheHubIsOutOfReach) {
  const MadeCache cache;
  cache.add_all({"config.json", "tokenizer.json", "model.safetensors"});
  EXPECT_EQ(hub::fetch("klue/roberta-base", cache.options()), cache.snapshot());
  hub::Options offline = cache.options();
  offline.offline = true;
  EXPECT_EQ(hub::fetch("klue/roberta-base", offline), cache.snapshot());
}

TEST(HubCached, Revisions) {
  const MadeCache cache;
  cache.add_all({".gitattributes", "config.json", "tokenizer.json", "model.safetensors"});
  cache.set_ref("v1.0", kCommit);
  cache.set_ref("refs/pr/3", std::string(kCommit) + "\n");
  cache.set_ref("torn", std::string(kCommit).substr(20));
  for (const std::string& revision :
       {std::string("v1.0"), std::string("refs/pr/3"), std::string(kCommit)})
    EXPECT_EQ(hub::find_cached("klue/roberta-base@" + revision, cache.options()), cache.snapshot());
  for (const std::string& revision :
       {std::string("v2.0"), std::string("torn"), std::string(40, 'a')})
    EXPECT_EQ(hub::find_cached("klue/roberta-base@" + revision, cache.options()), std::nullopt);
  EXPECT_EQ(hub::find_cached("klue/roberta-large", cache.options()), std::nullopt);
}

TEST(HubCached, EveryFileThatLoadingTakes) {
  for (const char* missing : {"config.json", "tokenizer.json", "model.safetensors"}) {
    const MadeCache cache;
    for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"})
      if (std::string(name) != missing) cache.add(name);
    EXPECT_EQ(hub::find_cached("klue/roberta-base", cache.options()), std::nullopt) << missing;
  }
}

TEST(HubCached, ALinkToNothingIsNoFile) {
  const MadeCache cache;
  cache.add_all({"config.json", "tokenizer.json", "model.safetensors"});
  fs::remove(cache.folder() / "blobs" / "etag-of-model.safetensors");
  EXPECT_EQ(hub::find_cached("klue/roberta-base", cache.options()), std::nullopt);
}

TEST(HubCached, Shards) {
  for (const std::string format : {"model.safetensors", "pytorch_model.bin"}) {
    const MadeCache cache;
    cache.add_all({"config.json", "tokenizer.json"});
    cache.add(format + ".index.json", R"({"weight_map": {"a": "one", "b": "two", "c": "one"}})");
    cache.add("one");
    EXPECT_EQ(hub::find_cached("klue/roberta-base", cache.options()), std::nullopt);
    cache.add("two");
    EXPECT_EQ(hub::find_cached("klue/roberta-base", cache.options()), cache.snapshot());
  }
}

TEST(HubCached, AnIndexThatLeavesItsFolder) {
  for (const char* shard : {"\"../../../etc/passwd\"", "\"/etc/passwd\"", "\"\"", "\"..\"", "1"}) {
    const MadeCache cache;
    cache.add_all({"config.json", "tokenizer.json"});
    cache.add("model.safetensors.index.json",
              R"({"weight_map": {"a": )" + std::string(shard) + "}}");
    EXPECT_THAT(
        message_of<FormatError>([&] { hub::find_cached("klue/roberta-base", cache.options()); }),
        HasSubstr("no plain file name"));
  }
}

TEST(HubCached, Modules) {
  const MadeCache cache;
  cache.add_all({"config.json", "vocab.txt", "model.safetensors"});
  cache.add("modules.json", R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}])");
  for (const char* name :
       {"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/pytorch_model.bin"}) {
    EXPECT_EQ(hub::find_cached("klue/roberta-base", cache.options()), std::nullopt) << name;
    cache.add(name);
  }
  EXPECT_EQ(hub::fetch("klue/roberta-base", cache.options()), cache.snapshot());
}

TEST(HubCached, ModulesThatLeaveTheRepository) {
  for (const char* path : {"../..", "/etc", "a/../..", "a//b"}) {
    const MadeCache cache;
    cache.add_all({"config.json", "vocab.txt", "model.safetensors"});
    cache.add("modules.json", R"([{"path": ")" + std::string(path) +
                                  R"(", "type": "sentence_transformers.models.Pooling"}])");
    EXPECT_THAT(
        message_of<FormatError>([&] { hub::find_cached("klue/roberta-base", cache.options()); }),
        HasSubstr("leaves its repository"));
  }
}

TEST(HubCached, OfflineSaysWhatIsMissing) {
  const MadeCache cache;
  cache.add_all({"config.json", "tokenizer.json"});
  hub::Options offline = cache.options();
  offline.offline = true;
  const std::string message =
      message_of<IoError>([&] { hub::fetch("klue/roberta-base", offline); });
  EXPECT_THAT(message, HasSubstr("klue/roberta-base@main"));
  EXPECT_THAT(message, HasSubstr("HF_HUB_OFFLINE"));
  EXPECT_THAT(message, HasSubstr("model.safetensors"));
}

TEST(HubCached, WhatIsNoNameOrNoCache) {
  const MadeCache cache;
  EXPECT_THAT(message_of<UsageError>([&] { hub::fetch("../roberta", cache.options()); }),
              HasSubstr("../roberta"));
  EXPECT_THAT(message_of<UsageError>([] { hub::find_cached("klue/roberta-base", hub::Options{}); }),
              HasSubstr("from_environment"));
}

#if !KLUE_WITH_DOWNLOAD
TEST(HubCached, WithoutLibcurlNothingIsDownloaded) {
  const MadeCache cache;
  const std::string message =
      message_of<UnsupportedError>([&] { hub::fetch("klue/roberta-base", cache.options()); });
  EXPECT_THAT(message, HasSubstr("built without libcurl"));
  EXPECT_THAT(message, HasSubstr("klue/roberta-base@main"));
}
#endif

}  // namespace
}  // namespace klue::test
