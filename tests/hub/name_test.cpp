// What is a name, and what may become a path.

#include <gtest/gtest.h>

#include <klue/hub.hpp>
#include <klue/hub/detail/name.hpp>

namespace klue::test {
using namespace hub::detail;
namespace {

using namespace hub;

TEST(HubName, RepositoryAndRevision) {
  const auto plain = parse_name("klue/roberta-base");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->repository, "klue/roberta-base");
  EXPECT_EQ(plain->revision, "main");
  const auto revised = parse_name("klue/roberta-base@refs/pr/1");
  ASSERT_TRUE(revised);
  EXPECT_EQ(revised->repository, "klue/roberta-base");
  EXPECT_EQ(revised->revision, "refs/pr/1");
}

TEST(HubName, WhatIsOne) {
  for (const char* name :
       {"klue/roberta-base", "bert-base-uncased", "BM-K/KoSimCSE-roberta", "a",
        "jhgan/ko-sroberta-multitask", "org_1/model.v1", "a/b@v1.0", "a/b@feature/x"})
    EXPECT_TRUE(is_name(name)) << name;
}

TEST(HubName, WhatIsNone) {
  for (const char* name :
       {"",        "/",       "/a",       "a/",     "a//b",     "a/b/c",      "/absolute/path",
        "./a",     "../a",    "a/..",     "a/.b",   ".a",       "a.",         "-a",
        "a-",      "a/b-",    "a--b",     "a/b--c", "a..b",     "a b",        "모델",
        "a/b.git", "a/b@",    "a/b@/x",   "a/b@x/", "a/b@../x", "a/b@x/../y", "a/b@a..b",
        "a/b@x y", "a/b@x@y", "a/b@x\ny", "@main",  "a\\b",     "a/b@x\\y",   "models/demo/"})
    EXPECT_FALSE(is_name(name)) << name;
  EXPECT_TRUE(is_name(std::string(96, 'a')));
  EXPECT_FALSE(is_name(std::string(97, 'a')));
  EXPECT_FALSE(is_name(std::string_view("a\0b", 3)));
}

TEST(HubName, Commits) {
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789abcdef0123456789abcdef0123456"));
  EXPECT_FALSE(is_commit("0123456789abcdef0123456789abcdef012345678"));
  EXPECT_FALSE(is_commit("0123456789ABCDEF0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("main"));
}

TEST(HubName, PathsOfAServer) {
  for (const char* path : {"config.json", "1_Pooling/config.json", "a/b/c", "..a", "a..", "한글"})
    EXPECT_TRUE(is_safe_path(path)) << path;
  for (const char* path : {"", "/etc/passwd", "..", "../a", "a/../b", "a/..", ".", "./a", "a/.",
                           "a//b", "a/", "a\nb", "a\x7F"})
    EXPECT_FALSE(is_safe_path(path)) << path;
  EXPECT_FALSE(is_safe_path(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_safe_path(std::string(256, 'a')));
  EXPECT_FALSE(is_safe_file_name("a/b"));
}

}  // namespace
}  // namespace klue::test
