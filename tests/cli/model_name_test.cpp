// Models by name: --model NAME, from a hub on the loopback address.

#include <chrono>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/hub.hpp>

#include "cli/command.hpp"
#include "hub/hub_server.hpp"
#include "hub/hub_test.hpp"

namespace klue::test {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kName = "klue/roberta-tiny";

class EmbedModelName : public testing::Test {
 protected:
  EmbedModelName()
      : cache_variable_("HF_HUB_CACHE", cache_.path().string()),
        endpoint_("HF_ENDPOINT", server_.endpoint()),
        timeout_("HF_HUB_DOWNLOAD_TIMEOUT", "60"),
        home_("HF_HOME", cache_.path().string()) {
    commit_ = server_.publish(kName, fixture("tiny-11"));
  }

  fs::path folder() const { return cache_.path() / "models--klue--roberta-tiny"; }
  fs::path snapshot() const { return folder() / "snapshots" / commit_; }

  static Result run(const std::vector<std::string>& more = {"사람"}) {
    std::vector<std::string> arguments{"--model", kName};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return embed(arguments);
  }
  static std::string expected_output() { return embed_tiny({"사람"}).out; }

  /// Until a body is asked for; not for ever, for a run that has everything asks for nothing.
  void wait_for_download() const {
    for (int i = 0; i < 400 && server_.downloads().empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  /// Whatever was killed when: under a final name every file is whole.
  void expect_whole_files_only() const {
    for (const auto& [name, content] : tree_of(folder() / "blobs")) {
      if (name.ends_with(".incomplete")) continue;
      EXPECT_THAT((std::set{sha256_of_text(content), git_hash_of_text(content)}), Contains(name));
    }
    for (const auto& [name, content] : tree_of(folder() / "refs"))
      EXPECT_EQ(content, commit_);
  }

  HubServer server_;
  ScratchDirectory cache_;
  ScopedVariable cache_variable_, endpoint_, timeout_, home_;
  std::string commit_;
};

TEST_F(EmbedModelName, IsDownloadedOnceAndUsed) {
  const Result first = run();
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.out, expected_output());
  // No terminal, no bar.
  EXPECT_EQ(first.err,
            std::string("embed: downloading ") + kName + " to " + cache_.path().string() + "\n");
  server_.forget_requests();
  const Result second = run();
  EXPECT_EQ(second.out, first.out);
  EXPECT_THAT(second.err, IsEmpty());
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(EmbedModelName, QuietIsQuiet) {
  EXPECT_THAT(run({"--quiet", "사람"}).err, IsEmpty());
}

TEST_F(EmbedModelName, GoesForTokenizingAndInfo) {
  const Result tokens = run({"--tokenize", "사람"});
  EXPECT_EQ(tokens.status, 0) << tokens.err;
  EXPECT_EQ(tokens.out, embed_tiny({"--tokenize", "사람"}).out);
  EXPECT_THAT(run({"--info"}).out, HasSubstr(snapshot().string()));
}

TEST_F(EmbedModelName, Revision) {
  const Result result = embed({"--model", std::string(kName) + "@" + commit_, "사람"});
  EXPECT_EQ(result.out, expected_output());
  const Result missing = embed({"--model", std::string(kName) + "@v2", "사람"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr("klue/roberta-tiny@v2: the hub has no such revision"));
}

TEST_F(EmbedModelName, ADirectoryOfThatNameWins) {
  const fs::path before = fs::current_path();
  const ScratchDirectory directory;
  fs::current_path(directory.path());
  fs::create_directories("klue");
  fs::copy(fixture("tiny-11-no-pooler"), kName, fs::copy_options::recursive);
  const Result result = run({"--info"});
  fs::current_path(before);
  EXPECT_THAT(result.out, testing::ContainsRegex("pooler +none"));
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(EmbedModelName, FailuresAreOneLine) {
  const auto fails = [](const Result& result, const char* message) {
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(lines_of(result.err), testing::ElementsAre(HasSubstr(message)));
  };
  fails(embed({"--model", "klue/no-such-model", "사람"}),
        "klue/no-such-model@main: the hub has no such model");
  {
    const ScopedVariable offline("HF_HUB_OFFLINE", "1");
    fails(run(), "HF_HUB_OFFLINE");
  }
  server_.require_token("hf_secret");
  fails(run(), "set HF_TOKEN");
  const ScopedVariable token("HF_TOKEN", "hf_secret");
  const Result allowed = run();
  EXPECT_EQ(allowed.status, 0) << allowed.err;
  EXPECT_EQ(allowed.out, expected_output());
  const ScopedVariable offline("HF_HUB_OFFLINE", "yes");
  EXPECT_EQ(run().out, expected_output());
}

TEST_F(EmbedModelName, KilledAtAnyMomentTheNextRunCompletesIt) {
  constexpr int kKills = 40;
  server_.set_faults({.bytes_per_second = 3'000'000});
  std::mt19937 random(20261123);
  int killed = 0, resumed = 0;
  for (int i = 0; i < kKills; ++i) {
    server_.forget_requests();
    const Running download(KLUE_EMBED, {"--model", kName, "사람"});
    // Half of them while bytes are under way, however long the start takes here.
    if (i % 2 == 1) wait_for_download();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 120'000));
    download.send(SIGKILL);
    killed += download.wait().status == 128 + SIGKILL ? 1 : 0;
    for (const Request& request : server_.requests())
      resumed += request.headers.contains("range") ? 1 : 0;
    expect_whole_files_only();
    if (hub::find_cached(kName)) {  // it was quick enough, or the last of many
      EXPECT_EQ(run().out, expected_output());
      fs::remove_all(folder());
    }
  }
  EXPECT_GT(killed, 0);
  EXPECT_GT(resumed, 0);
  server_.set_faults({});
  const Result result = run();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, expected_output());
  expect_whole_files_only();
  for (const std::string& name : names_in(folder()))
    EXPECT_THAT(name, Not(HasSubstr(".incomplete")));
}

TEST_F(EmbedModelName, ProcessesAtOnceDownloadOnce) {
  server_.set_faults({.bytes_per_second = 3'000'000});
  const Running first(KLUE_EMBED, {"--model", kName, "사람"}),
      second(KLUE_EMBED, {"--model", kName, "사람"}), third(KLUE_EMBED, {"--model", kName, "사람"});
  for (const Running* process : {&first, &second, &third}) {
    const Result result = process->wait();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, expected_output());
  }
  EXPECT_THAT(server_.downloads(), SizeIs(names_in(snapshot()).size()));
  expect_whole_files_only();
}

TEST_F(EmbedModelName, AProcessGoesOnWhereAKilledOneHeldTheLock) {
  server_.set_faults({.bytes_per_second = 1'000'000});
  const Running first(KLUE_EMBED, {"--model", kName, "사람"});
  while (server_.downloads().size() < 3)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Running second(KLUE_EMBED, {"--model", kName, "사람"});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  first.send(SIGKILL);
  first.wait();
  const Result result = second.wait();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, expected_output());
  expect_whole_files_only();
}

}  // namespace
}  // namespace klue::test
