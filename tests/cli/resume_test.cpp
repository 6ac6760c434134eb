// Nothing that was computed is lost, whatever ends a run, and nothing of the user's is overwritten.

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"
#include "npy.hpp"

namespace klue::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Texts of all lengths, so that the order of work differs from that of the input.
std::string some_lines(int count) {
  std::string lines;
  std::mt19937 random(17);
  for (int i = 0; i < count; ++i) {
    for (auto words = random() % 12; words > 0; --words)
      lines.append(words % 2 == 0 ? "사람 전 " : "이 다는 ");
    lines.append(std::to_string(i)).append("\n");
  }
  return lines;
}

class EmbedResume : public testing::TestWithParam<const char*> {
 protected:
  fs::path path(const std::string& name) const { return directory_.path() / name; }

  std::vector<std::string> arguments(const std::string& out) const {
    return {"--model",
            fixture("tiny-11").string(),
            "--quiet",
            "--input",
            path("in.txt").string(),
            "--format",
            GetParam(),
            "--out",
            path(out).string()};
  }
  std::vector<std::string> resuming(const std::string& out) const {
    std::vector<std::string> all = arguments(out);
    all.push_back("--resume");
    return all;
  }

  // What one run without --resume makes of the lines.
  std::string whole(const std::string& lines) {
    directory_.write("in.txt", lines);
    const Result result = embed(arguments("whole"));
    EXPECT_EQ(result.status, 0) << result.err;
    return read_bytes(path("whole"));
  }

  void expect_whole(const std::string& out, const std::string& wanted) {
    EXPECT_TRUE(read_bytes(path(out)) == wanted);
    EXPECT_FALSE(fs::exists(path(out + ".partial")));
    EXPECT_FALSE(fs::exists(path(out + ".partial.json")));
    EXPECT_TRUE(fs::exists(path(out + ".manifest.json")));
  }

  ScratchDirectory directory_;
};
INSTANTIATE_TEST_SUITE_P(, EmbedResume, testing::Values("npy", "fbin", "jsonl", "csv"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(EmbedResume, WithoutAnInterruptionIsAnOrdinaryRun) {
  const std::string wanted = whole(some_lines(700));
  EXPECT_EQ(embed(resuming("out")).status, 0);
  expect_whole("out", wanted);
  // Once more: it is complete.
  const auto before = fs::last_write_time(path("out"));
  EXPECT_EQ(embed(resuming("out")).status, 0);
  EXPECT_EQ(fs::last_write_time(path("out")), before);
  // Other texts make another output.
  const std::string others = whole(some_lines(300));
  EXPECT_EQ(embed(resuming("out")).status, 0);
  expect_whole("out", others);
}

TEST_P(EmbedResume, GivesTheSameBytesHoweverOftenItIsKilled) {
  // With KLUE_LONG_TESTS in the environment, long enough for some dozens of kills.
  const bool is_long = std::getenv("KLUE_LONG_TESTS") != nullptr;
  const auto began = std::chrono::steady_clock::now();
  const std::string wanted = whole(some_lines(is_long ? 200'000 : 20'000));
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  std::mt19937 random(18);
  int kills = 0;
  for (; kills < 60; ++kills) {
    const Running run(KLUE_EMBED, resuming("out"));
    // The first kill comes for sure; no other comes later than a whole run takes.
    const auto longest = std::min<std::chrono::milliseconds>(
        milliseconds / 2, std::chrono::milliseconds(is_long ? 5000 : 900));
    std::this_thread::sleep_for(kills == 0 ? longest / 2
                                           : longest * static_cast<int>(random() % 1000) / 1000);
    run.send(kills % 5 == 4 ? SIGINT : SIGKILL);
    const Result result = run.wait();
    if (result.status == 0) break;
    // It gets its name when it is whole, which may be the last that a killed process does.
    if (fs::exists(path("out"))) {
      EXPECT_TRUE(read_bytes(path("out")) == wanted);
    }
    if (result.status == 128 + SIGINT) {
      EXPECT_THAT(result.err, IsEmpty());
    }
  }
  EXPECT_GE(kills, 1);
  EXPECT_EQ(embed(resuming("out")).status, 0);
  expect_whole("out", wanted);
}

TEST_P(EmbedResume, SurvivesAFullDisk) {
  const std::string wanted = whole(some_lines(3000));
  // The run may write files of a third of the size, then of two, then of all.
  for (int part = 1; part <= 4; ++part) {
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    rlimit limit = old;
    limit.rlim_cur = wanted.size() * static_cast<std::size_t>(part) / 3 + 5000;
    ::signal(SIGXFSZ,
             SIG_IGN);  // inherited: writing fails with EFBIG, as with ENOSPC on a full disk
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Result result = embed(resuming("out"));
    ::setrlimit(RLIMIT_FSIZE, &old);
    ::signal(SIGXFSZ, SIG_DFL);
    if (part < 3) {
      EXPECT_EQ(result.status, 1);
      EXPECT_THAT(result.err, AllOf(HasSubstr("cannot write"), HasSubstr(path("out").string())));
      EXPECT_FALSE(fs::exists(path("out")));
    } else {
      EXPECT_EQ(result.status, 0) << result.err;
    }
  }
  expect_whole("out", wanted);
}

TEST_P(EmbedResume, ShardsMergedAreOneRun) {
  const std::string wanted = whole(some_lines(1000));
  std::vector<std::string> shards;
  for (int i = 3; i >= 1; --i) {  // in any order
    const std::string name = "part" + std::to_string(i);
    std::vector<std::string> shard = resuming(name);
    shard.insert(shard.end(), {"--shard", std::to_string(i) + "/3"});
    const Result result = embed(shard);
    EXPECT_EQ(result.status, 0) << result.err;
    shards.push_back(path(name).string());
  }
  std::vector<std::string> merge{"--merge", "--out", path("merged").string()};
  merge.insert(merge.end(), shards.begin(), shards.end());
  const Result result = embed(merge);
  EXPECT_EQ(result.status, 0) << result.err;
  expect_whole("merged", wanted);

  merge.pop_back();
  const Result missing = embed(merge);
  EXPECT_THAT(missing.err, HasSubstr("a shard is missing"));
  EXPECT_THAT(missing.err, testing::Not(HasSubstr("is taken as a text")));
  merge.push_back(shards[0]);
  EXPECT_THAT(embed(merge).err, HasSubstr("the same shard"));
  merge.back() = path("whole").string();
  EXPECT_THAT(embed(merge).err, HasSubstr("no manifest"));
}

using EmbedInterrupted = EmbedResume;
INSTANTIATE_TEST_SUITE_P(, EmbedInterrupted, testing::Values("npy"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(EmbedInterrupted, AnotherJobIsRefused) {
  directory_.write("in.txt", some_lines(100'000));  // a long way to go
  const Running run(KLUE_EMBED, resuming("out"));
  while (!fs::exists(path("out.partial.json")) && !fs::exists(path("out")))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  run.send(SIGKILL);
  ASSERT_EQ(run.wait().status, 128 + SIGKILL);

  std::vector<std::string> other = resuming("out");
  other.push_back("--normalize");
  Result result = embed(other);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("options.normalize"), HasSubstr("out.partial.json")));
  other = resuming("out");
  other[1] = fixture("tiny-11-bare").string();
  EXPECT_THAT(embed(other).err, HasSubstr("model.sha256"));
  const std::string lines = read_bytes(path("in.txt"));
  directory_.write("in.txt", "X" + lines);
  EXPECT_THAT(embed(resuming("out")).err, HasSubstr("the input is not the one"));
  EXPECT_TRUE(fs::exists(path("out.partial")));

  // Lines that were added behind are no other input.
  const std::string longer = whole(lines + "끝\n");
  EXPECT_EQ(embed(resuming("out")).status, 0);
  expect_whole("out", longer);
}

TEST_P(EmbedInterrupted, WhatHasGrownCanBeLookedAt) {
  directory_.write("in.txt", some_lines(400'000));  // a long way to go
  const Running run(KLUE_EMBED, resuming("out"));
  while (!fs::exists(path("out.partial.json")) && !fs::exists(path("out")))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  run.send(SIGKILL);
  run.wait();
  const std::string bytes = read_bytes(path("out.partial"));
  std::smatch match;
  const std::string header = bytes.substr(0, 128);
  ASSERT_TRUE(std::regex_search(header, match, std::regex(R"(\(([0-9]+), 32\))")));
  const std::size_t rows = std::stoul(match[1]);
  EXPECT_GT(rows, 0u);
  EXPECT_GE(bytes.size(), 128 + rows * 32 * sizeof(float));
}

TEST_P(EmbedInterrupted, EndsWithinASecondOfAnInterruption) {
  directory_.write("in.txt", some_lines(400'000));  // a long way to go
  const fs::path fifo = path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int held = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);  // so that it never ends
  std::vector<std::string> waiting = arguments("out");
  waiting[4] = fifo.string();
  for (const std::vector<std::string>& command : {arguments("out"), waiting}) {
    const Running run(KLUE_EMBED, command);
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    const auto begin = std::chrono::steady_clock::now();
    run.send(SIGINT);
    EXPECT_EQ(run.wait().status, 128 + SIGINT);
    // A second, on a machine that does nothing else.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
    EXPECT_FALSE(fs::exists(path("out")));
    EXPECT_FALSE(fs::exists(path("out.partial")));
  }
  ::close(held);
}

TEST_P(EmbedInterrupted, TwoRunsDoNotWriteOneFile) {
  directory_.write("in.txt", some_lines(400'000));
  const Running run(KLUE_EMBED, resuming("out"));
  while (!fs::exists(path("out.partial.json")) && !fs::exists(path("out")))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const Result result = embed(resuming("out"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("another run"));
  run.send(SIGKILL);
  run.wait();
}

// --------------------------------------------------------------------- nothing is destroyed

class EmbedKeeps : public testing::Test {
 protected:
  void expect_refusal(const Result& result, const char* what) {
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_THAT(result.err, testing::StartsWith("embed: "));
  }
  ScratchDirectory directory_;
};

TEST_F(EmbedKeeps, TheInput) {
  const auto file = directory_.write("in.txt", "사람\n");
  const auto link = directory_.path() / "link.txt", hard = directory_.path() / "hard.txt";
  fs::create_symlink(file, link);
  fs::create_hard_link(file, hard);
  for (const fs::path& out : {file, link, hard})
    for (const char* what : {"--normalize", "--tokenize", "--similarity"}) {
      SCOPED_TRACE(out.string() + " " + what);
      expect_refusal(embed_tiny({"--input", file.string(), "--out", out.string(), what}),
                     "would replace the input");
      EXPECT_EQ(read_bytes(file), "사람\n");
    }
}

TEST_F(EmbedKeeps, TheModel) {
  fs::copy(fixture("tiny-11"), directory_.path() / "model");
  for (const char* name : {"model.safetensors", "config.json", "tokenizer.json"}) {
    const fs::path file = directory_.path() / "model" / name;
    if (!fs::exists(file)) continue;
    const std::string before = read_bytes(file);
    for (const char* what : {"--normalize", "--tokenize", "--similarity", "--search=사람",
                             "--duplicates=0.9", "--communities=0.9"}) {
      SCOPED_TRACE(what);
      expect_refusal(embed({"--model", (directory_.path() / "model").string(), "사람", "--out",
                            file.string(), what}),
                     "a file of the model");
      EXPECT_TRUE(read_bytes(file) == before);
    }
  }
}

TEST_F(EmbedKeeps, WhatQueriesPlotsAndTokenizersAreReadFrom) {
  const auto queries = directory_.write("queries.txt", "사람\n").string();
  const auto input = directory_.write("in.txt", "사람\n이\n").string();
  expect_refusal(embed_tiny({"--input", input, "--queries", queries, "--out", queries}),
                 "would replace the queries (expected another --out");
  EXPECT_EQ(read_bytes(queries), "사람\n");
  expect_refusal(embed_tiny({"--input", input, "--similarity", "--plot", input}),
                 "would replace the input (expected another --plot");
  EXPECT_EQ(read_bytes(input), "사람\n이\n");
  const fs::path model = directory_.path() / "model";
  fs::copy(fixture("tiny-11"), model);
  const fs::path config = model / "config.json", pieces = model / "vocab.txt";
  expect_refusal(
      embed({"--model", model.string(), "사람", "이", "--similarity", "--plot", config.string()}),
      "a file of the model");
  EXPECT_EQ(read_bytes(config), read_bytes(fixture("tiny-11") / "config.json"));
  expect_refusal(embed_tiny({"--preprocessor", model.string(), "사람", "--out", pieces.string()}),
                 "a file of the tokenizer");
  EXPECT_EQ(read_bytes(pieces), read_bytes(fixture("tiny-11") / "vocab.txt"));
}

TEST_F(EmbedKeeps, AnOlderOutputWhenTheNewOneFails) {
  const auto in = directory_.write("in.jsonl", "{\"text\": \"사람\"}\noops\n");
  const auto out = directory_.write("out", "older");
  for (const char* format : {"npy", "jsonl", "text"}) {
    const Result result =
        embed_tiny({"--input", in.string(), "--format", format, "--out", out.string()});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(read_bytes(out), "older");
    EXPECT_FALSE(fs::exists(out.string() + ".partial"));
  }
}

TEST_F(EmbedKeeps, LinksAndPermissions) {
  const auto out = directory_.write("out", "older");
  fs::permissions(out, fs::perms::owner_read | fs::perms::owner_write);
  const auto link = directory_.path() / "link";
  fs::create_symlink("out", link);
  EXPECT_EQ(embed_tiny({"사람", "--out", link.string()}).status, 0);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_NE(read_bytes(out), "older");
  EXPECT_EQ(fs::status(out).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(EmbedKeeps, WhatAClosedStandardOutputWouldLose) {
  for (const char* format : {"text", "npy"}) {
    const Result result = run("/bin/sh", {"-c", "exec \"$0\" \"$@\" >&-", KLUE_EMBED, "--model",
                                          fixture("tiny-11").string(), "--format", format, "사람"});
    expect_refusal(result, "standard output: cannot write");
  }
  EXPECT_EQ(run("/bin/sh",
                {"-c", "exec \"$0\" \"$@\" >&-", KLUE_EMBED, "--model", fixture("tiny-11").string(),
                 "--out", (directory_.path() / "out").string(), "사람"})
                .status,
            0);
}

TEST_F(EmbedKeeps, NothingInTheFolderForTemporaryFiles) {
  const auto in = directory_.write("in.txt", "사람\n전\n");
  const std::string command = "TMPDIR=/no/such/folder exec \"$0\" \"$@\"";
  const Result result =
      run("/bin/sh", {"-c", command, KLUE_EMBED, "--model", fixture("tiny-11").string(), "--format",
                      "npy", "--input", in.string()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.size(), 128 + 2 * 32 * sizeof(float));
}

TEST_F(EmbedKeeps, APipeGetsTheHeaderToo) {
  const auto in = directory_.write("in.txt", "사람\n전\n");
  const std::string wanted = embed_tiny({"--input", in.string(), "--format", "npy"}).out;
  const std::string tail = " --model " + fixture("tiny-11").string() + " --format npy --input ";
  for (const std::string& input : {in.string(), "- < " + in.string()}) {
    const Result piped = run("/bin/sh", {"-c", KLUE_EMBED + tail + input + " | cat"});
    EXPECT_TRUE(piped.out == wanted) << input;
  }
  // Behind what is there already.
  const fs::path out = directory_.path() / "appended";
  run("/bin/sh", {"-c", "{ printf '12345'; " + std::string(KLUE_EMBED) + tail + in.string() +
                            "; } > " + out.string()});
  EXPECT_TRUE(read_bytes(out) == "12345" + wanted);
}

TEST_F(EmbedKeeps, QuietWhenNobodyReads) {
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    lines.append("전\n");
  const auto in = directory_.write("in.txt", lines);
  const Result result =
      run("/bin/sh", {"-c", std::string(KLUE_EMBED) + " --model " + fixture("tiny-11").string() +
                                " --input " + in.string() + " | head -n 1"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(lines_of(result.out).size(), 1u);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(EmbedKeeps, HalfPrecisionIsNumPys) {
  const Result full = embed_tiny({"--format", "npy", "사람", "전"});
  const Result half = embed_tiny({"--format", "npy", "--dtype", "f16", "사람", "전"});
  ASSERT_EQ(half.out.size(), 128 + 2 * 32 * 2u);
  EXPECT_THAT(half.out.substr(0, 128), HasSubstr("'descr': '<f2'"));
  const std::vector<float> values = floats_of(full.out.substr(128));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, half.out.data() + 128 + 2 * i, 2);
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double value =
        (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25)) *
        (bits >> 15 ? -1 : 1);
    EXPECT_NEAR(value, values[i], std::abs(values[i]) / 2048 + 1e-7);
  }
}

}  // namespace
}  // namespace klue::test
