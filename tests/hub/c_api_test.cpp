// The hub for C: what klue_hub_fetch and klue_hub_find_cached give is what C++ gets, without any
// network.

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include <klue/klue_hub.h>

#include "hub/hub_test.hpp"

namespace klue::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommitForC = "0123456789abcdef0123456789abcdef01234567";

klue_hub_options c_options(const std::string& cache) {
  klue_hub_options options{};
  options.struct_size = sizeof options;
  options.cache = cache.c_str();
  options.endpoint = "http://127.0.0.1:1";  // where nobody listens
  options.offline = KLUE_YES;
  return options;
}

TEST(HubForC, FindsWhatIsCached) {
  const ScratchDirectory directory;
  const std::string cache = directory.path().string();
  const fs::path folder = "models--klue--roberta-base";
  directory.write((folder / "refs/main").string(), kCommitForC);
  for (const char* name : {"config.json", "vocab.txt", "model.safetensors"})
    directory.write((folder / "snapshots" / kCommitForC / name).string(), "{}");
  const klue_hub_options options = c_options(cache);

  char* found = nullptr;
  ASSERT_EQ(klue_hub_find_cached("klue/roberta-base", &options, &found), KLUE_OK)
      << klue_error_message();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found, (directory.path() / folder / "snapshots" / kCommitForC).string());
  char* fetched = nullptr;
  ASSERT_EQ(klue_hub_fetch("klue/roberta-base", &options, &fetched), KLUE_OK);
  EXPECT_STREQ(fetched, found);
  klue_string_free(fetched);
  klue_string_free(found);

  ASSERT_EQ(klue_hub_find_cached("klue/roberta-large", &options, &found), KLUE_OK);
  EXPECT_EQ(found, nullptr);
}

TEST(HubForC, SaysWhyThereIsNothing) {
  const ScratchDirectory directory;
  const std::string cache = directory.path().string();
  klue_hub_options options = c_options(cache);
  char* found = nullptr;
  EXPECT_EQ(klue_hub_fetch("klue/roberta-base", &options, &found), KLUE_ERROR_IO);
  EXPECT_STREQ(klue_error_file(), cache.c_str());
  EXPECT_STREQ(klue_error_field(), "klue/roberta-base@main");
  EXPECT_EQ(found, nullptr);
  EXPECT_EQ(klue_hub_find_cached("no name", &options, &found), KLUE_ERROR_USAGE);
  EXPECT_STREQ(klue_error_field(), "name");
  EXPECT_EQ(klue_hub_fetch(nullptr, &options, &found), KLUE_ERROR_USAGE);
  EXPECT_EQ(klue_hub_fetch("klue/roberta-base", &options, nullptr), KLUE_ERROR_USAGE);
  options.struct_size = 0;
  EXPECT_EQ(klue_hub_fetch("klue/roberta-base", &options, &found), KLUE_ERROR_USAGE);
  EXPECT_STREQ(klue_error_field(), "struct_size");
}

TEST(HubForC, HasDefaultsOfTheEnvironment) {
  const ScratchDirectory directory;
  const ScopedVariable cache("HF_HUB_CACHE", directory.path().string());
  const ScopedVariable no_network("HF_HUB_OFFLINE", "1");
  char* found = nullptr;
  EXPECT_EQ(klue_hub_fetch("klue/roberta-base", nullptr, &found), KLUE_ERROR_IO);
  EXPECT_EQ(klue_error_file(), directory.path().string());
}

TEST(HubForC, KnowsNames) {
  EXPECT_EQ(klue_hub_is_name("klue/roberta-base@refs/pr/1"), 1);
  EXPECT_EQ(klue_hub_is_name("/a/directory"), 0);
  EXPECT_EQ(klue_hub_is_name(nullptr), 0);
}

}  // namespace
}  // namespace klue::test
