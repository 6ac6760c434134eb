// The variables that huggingface_hub reads.

#include <deque>

#include <sys/stat.h>

#include "hub/hub_test.hpp"

namespace klue::test {
namespace {

/// An environment with these variables of the hub's and no other.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& variables) {
    for (const char* name :
         {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_ENDPOINT",
          "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
          "TRANSFORMERS_OFFLINE", "HF_HUB_DOWNLOAD_TIMEOUT", "HOME"}) {
      const auto found = variables.find(name);
      variables_.emplace_back(
          name, found == variables.end() ? std::nullopt : std::optional(found->second));
    }
  }

 private:
  std::deque<ScopedVariable> variables_;
};

hub::Options options_of(const std::map<std::string, std::string>& variables) {
  const Environment environment(variables);
  return hub::Options::from_environment();
}

TEST(HubEnvironment, TheCache) {
  std::map<std::string, std::string> variables{{"HOME", "/home/me"}};
  EXPECT_EQ(options_of(variables).cache, "/home/me/.cache/huggingface/hub");
  variables["XDG_CACHE_HOME"] = "/caches";
  EXPECT_EQ(options_of(variables).cache, "/caches/huggingface/hub");
  variables["HF_HOME"] = "~/hf";
  EXPECT_EQ(options_of(variables).cache, "/home/me/hf/hub");
  variables["HUGGINGFACE_HUB_CACHE"] = "/old";
  EXPECT_EQ(options_of(variables).cache, "/old");
  variables["HF_HUB_CACHE"] = "/new";
  EXPECT_EQ(options_of(variables).cache, "/new");
  variables.erase("HOME");
  EXPECT_EQ(options_of({{"HF_HOME", "/hf"}}).cache, "/hf/hub");
  EXPECT_NE(message_of<UsageError>([] { options_of({}); }).find("HF_HUB_CACHE"), std::string::npos);
}

TEST(HubEnvironment, TheEndpoint) {
  EXPECT_EQ(options_of({{"HOME", "/"}}).endpoint, "https://huggingface.co");
  EXPECT_EQ(options_of({{"HOME", "/"}, {"HF_ENDPOINT", ""}}).endpoint, "https://huggingface.co");
  EXPECT_EQ(options_of({{"HOME", "/"}, {"HF_ENDPOINT", "http://mirror"}}).endpoint,
            "http://mirror");
}

TEST(HubEnvironment, TheToken) {
  const ScratchDirectory home;
  std::map<std::string, std::string> variables{{"HF_HOME", home.path().string()}};
  EXPECT_EQ(options_of(variables).token, "");
  home.write("token", "hf_file\n");
  EXPECT_EQ(options_of(variables).token, "hf_file");
  home.write("other", " hf_other \r\n");
  variables["HF_TOKEN_PATH"] = (home.path() / "other").string();
  EXPECT_EQ(options_of(variables).token, "hf_other");
  variables["HF_TOKEN"] = "hf_variable\n";
  EXPECT_EQ(options_of(variables).token, "hf_variable");
}

TEST(HubEnvironment, ATokenFileThatIsNoFile) {
  const ScratchDirectory home;
  const std::map<std::string, std::string> variables{{"HF_HOME", home.path().string()}};
  ASSERT_EQ(::mkfifo((home.path() / "token").c_str(), 0600), 0);
  EXPECT_EQ(options_of(variables).token, "");  // and does not wait for a writer
  fs::remove(home.path() / "token");
  fs::create_directory(home.path() / "token");
  EXPECT_EQ(options_of(variables).token, "");
}

TEST(HubEnvironment, Offline) {
  for (const char* yes : {"1", "ON", "yes", "True"})
    EXPECT_TRUE(options_of({{"HOME", "/"}, {"HF_HUB_OFFLINE", yes}}).offline) << yes;
  for (const char* no : {"", "0", "off", "2", "TRUEST"})
    EXPECT_FALSE(options_of({{"HOME", "/"}, {"HF_HUB_OFFLINE", no}}).offline) << no;
}

TEST(HubEnvironment, TheTimeout) {
  const auto with = [](const char* value) {
    return options_of({{"HOME", "/"}, {"HF_HUB_DOWNLOAD_TIMEOUT", value}}).timeout.count();
  };
  EXPECT_EQ(with(""), 10);
  EXPECT_EQ(with("60"), 60);
  for (const char* wrong : {"0", "-1", "ten", "1.5", "99999999999999999999"})
    EXPECT_NE(message_of<UsageError>([&] { with(wrong); }).find("HF_HUB_DOWNLOAD_TIMEOUT"),
              std::string::npos);
}

}  // namespace
}  // namespace klue::test
