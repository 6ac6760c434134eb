// embed --search, --duplicates and --communities.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"

namespace klue::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

// Every third text is one of five, so that many scores are equal.
std::vector<std::string> some_texts(int count) {
  const char* const often[] = {"사람", "이 다는 사람", "전", "대 전", "위치가 좋은 숙소"};
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i)
    texts.push_back(i % 3 == 0 ? often[i / 3 % 5] : "전 " + std::to_string(i) + " 사람");
  return texts;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string lines;
  for (const std::string& text : texts)
    lines.append(text).append("\n");
  return lines;
}

class EmbedSearch : public testing::Test {
 protected:
  std::vector<json> run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "jsonl"});
    const Result result = embed_tiny(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.err, IsEmpty());
    std::vector<json> lines;
    for (const std::string& line : lines_of(result.out))
      lines.push_back(json::parse(line));
    return lines;
  }

  const std::vector<std::string> texts_ = some_texts(1500);
  ScratchDirectory directory_;
  const std::string file_ = directory_.write("in.txt", joined(texts_)).string();
};

TEST_F(EmbedSearch, IsTheContractsLine) {
  const Result result = embed_tiny({"--input", directory_.write("two.txt", "전\n사람\n").string(),
                                    "--search", "사람", "--top-k", "1", "--format", "jsonl"});
  EXPECT_THAT(result.out, testing::MatchesRegex("\\{\"query\":\"사람\",\"hits\":\\[\\{\"index\":1,"
                                                "\"score\":[0-9.]+,\"text\":\"사람\"\\}\\]\\}\n"));
}

TEST_F(EmbedSearch, FindsTheNearestBestFirstAndEqualOnesInTheirOrder) {
  const std::vector<std::string> queries{"사람", "좋은 위치", ""};
  std::vector<std::string> arguments{"--input", file_, "--top-k", "130", "--search"};
  arguments.insert(arguments.end(), queries.begin(), queries.end());
  const std::vector<json> lines = run(arguments);
  ASSERT_EQ(lines.size(), queries.size());
  const Model model = Model::load(fixture("tiny-11"), {.threads = 1});
  const Tensor vectors = model.embed(texts_), asked = model.embed(queries);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    EXPECT_EQ(lines[q].at("query"), queries[q]);
    const json& hits = lines[q].at("hits");
    ASSERT_EQ(hits.size(), 130u);
    std::vector<float> scores;
    for (std::size_t i = 0; i < texts_.size(); ++i)
      scores.push_back(cosine_similarity(asked.at(q), vectors.at(i)));
    std::vector<float> best = scores;
    std::ranges::sort(best, std::ranges::greater{});
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const auto index = hits[i].at("index").get<std::size_t>();
      const float score = hits[i].at("score");
      EXPECT_EQ(hits[i].at("text"), texts_[index]);
      EXPECT_NEAR(score, scores[index], 2e-6f);
      EXPECT_NEAR(score, best[i], 2e-6f);
      if (i == 0) continue;
      const float before = hits[i - 1].at("score");
      EXPECT_GE(before, score);
      if (before == score) {
        EXPECT_LT(hits[i - 1].at("index"), index);
      }
    }
  }
}

TEST_F(EmbedSearch, SavedVectorsAreTheSame) {
  const std::vector<json> wanted = run({"--input", file_, "--search", "사람", "--top-k", "20"});
  for (const char* format : {"npy", "fbin"}) {
    SCOPED_TRACE(format);
    const std::string vectors = (directory_.path() / format).string();
    ASSERT_EQ(embed_tiny({"--input", file_, "--format", format, "--out", vectors}).status, 0);
    EXPECT_EQ(run({"--vectors", vectors, "--input", file_, "--search", "사람", "--top-k", "20"}),
              wanted);
    const std::vector<json> bare = run({"--vectors", vectors, "--search", "사람", "--top-k", "20"});
    for (std::size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(bare[0]["hits"][i]["index"], wanted[0]["hits"][i]["index"]);
      EXPECT_FALSE(bare[0]["hits"][i].contains("text"));
    }
    const std::string other = directory_.write("other.txt", "전\n").string();
    const Result wrong = embed_tiny({"--vectors", vectors, "--input", other, "--search", "사람"});
    EXPECT_EQ(wrong.status, 1);
    EXPECT_THAT(wrong.err, HasSubstr("not the vectors of the input"));
  }
}

TEST_F(EmbedSearch, QueriesComeFromAFileToo) {
  const std::string queries = directory_.write("q.txt", "사람\n전\n").string();
  EXPECT_EQ(run({"--input", file_, "--queries", queries}),
            run({"--input", file_, "--search", "사람", "전"}));
}

TEST_F(EmbedSearch, DamagedVectorsAreRefused) {
  const std::string vectors = (directory_.path() / "v.npy").string();
  ASSERT_EQ(embed_tiny({"--input", file_, "--format", "npy", "--out", vectors}).status, 0);
  const std::string bytes = read_bytes(vectors);
  for (std::size_t at = 0; at < 200; at += 8) {  // each is a run of its own
    std::string flipped = bytes;
    flipped[at] = '\xFF';
    for (const std::string& damaged : {bytes.substr(0, at), flipped}) {
      const std::string file = directory_.write("damaged", damaged).string();
      const Result result = embed_tiny({"--vectors", file, "--search", "사람"});
      EXPECT_TRUE(result.status == 1 || (result.status == 0 && damaged.size() == bytes.size()))
          << at << ": " << result.status << result.err;
    }
  }
  EXPECT_EQ(embed_tiny({"--vectors", "/no/such", "--search", "사람"}).status, 1);
  const std::string fifo = (directory_.path() / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(embed_tiny({"--vectors", fifo, "--search", "사람"}).status, 1);  // and no waiting
}

TEST_F(EmbedSearch, DuplicatesArePairsInOrder) {
  const std::vector<json> lines =
      run({"--duplicates", "1", "사람", "전", "사람", "대", "전", "사람"});
  std::vector<std::pair<int, int>> pairs;
  for (const json& line : lines) {
    pairs.emplace_back(line.at("index")[0], line.at("index")[1]);
    EXPECT_EQ(line.at("text")[0], line.at("text")[1]);
    EXPECT_GT(line.at("score"), 0.99999);
  }
  EXPECT_EQ(pairs, (std::vector<std::pair<int, int>>{{0, 2}, {0, 5}, {1, 4}, {2, 5}}));
}

TEST_F(EmbedSearch, CommunitiesAreGroupsAroundTheirFirst) {
  const std::vector<std::string> texts{"전", "사람", "위치가 좋은 숙소", "사람", "전", "사람"};
  std::vector<std::string> arguments{"--communities", "0.99999"};
  arguments.insert(arguments.end(), texts.begin(), texts.end());
  const std::vector<json> groups = run(arguments);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].at("index"), (json{1, 3, 5}));
  EXPECT_EQ(groups[0].at("text"), (json{"사람", "사람", "사람"}));
  EXPECT_EQ(groups[1].at("index"), (json{0, 4}));
  for (const json& group : groups) {
    EXPECT_EQ(group.at("score")[0], 1);
    EXPECT_EQ(group.at("score").size(), group.at("index").size());
    for (const json& score : group.at("score"))
      EXPECT_GT(score, 0.99999);
  }
  arguments.insert(arguments.end(), {"--min-community-size", "3"});
  EXPECT_EQ(run(arguments), std::vector<json>{groups[0]});
}

TEST_F(EmbedSearch, CommunitiesAreMadeOfThePairs) {
  const std::string vectors = (directory_.path() / "v.npy").string();
  ASSERT_EQ(embed_tiny({"--input", file_, "--format", "npy", "--out", vectors}).status, 0);
  const std::vector<std::string> saved{"--vectors", vectors, "--input", file_};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), saved.begin(), saved.end());
    return run(more);
  };
  std::vector<SimilarPair> pairs;
  for (const json& line : with({"--duplicates", "0.9999"}))
    pairs.push_back({line.at("index")[0], line.at("index")[1], line.at("score")});
  const std::vector<json> lines = with({"--communities", "0.9999", "--min-community-size", "4"});
  const std::vector<std::vector<std::size_t>> wanted = communities(texts_.size(), pairs, 4);
  ASSERT_EQ(lines.size(), wanted.size());
  ASSERT_GE(wanted.size(), 2u);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(lines[i].at("index"), json(wanted[i]));
    for (std::size_t j = 0; j < wanted[i].size(); ++j) {
      EXPECT_EQ(lines[i].at("text")[j], texts_[wanted[i][j]]);
      const std::size_t a = std::min(wanted[i][0], wanted[i][j]);
      const std::size_t b = std::max(wanted[i][0], wanted[i][j]);
      const auto pair = std::ranges::find_if(
          pairs, [&](const SimilarPair& p) { return p.first == a && p.second == b; });
      EXPECT_EQ(lines[i].at("score")[j].get<float>(), j == 0 ? 1.0f : pair->score);
    }
  }
}

TEST_F(EmbedSearch, WhatIsNearKeepsItsIdAndPair) {
  const std::string input = directory_
                                .write("ids.jsonl",
                                       "{\"id\":7,\"text\":\"전\",\"text_pair\":\"대\"}\n"
                                       "{\"id\":\"b\",\"text\":\"전\",\"text_pair\":\"대\"}\n")
                                .string();
  for (const char* kind : {"--duplicates", "--communities"}) {
    const std::vector<json> lines =
        run({"--input", input, "--input-format", "jsonl", "--id-field", "id", kind, "0.99"});
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].at("id"), (json{7, "b"}));
    EXPECT_EQ(lines[0].at("text"), (json{"전", "전"}));
    EXPECT_EQ(lines[0].at("text_pair"), (json{"대", "대"}));
  }
}

TEST_F(EmbedSearch, ALineThatIsNoRecordIsNearNothing) {
  const std::string input =
      directory_.write("a.jsonl", "{\"text\": \"전\"}\noops\n{\"text\": \"사람\"}\n").string();
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(),
                {"--input", input, "--input-format", "jsonl", "--on-error", "null", "--quiet"});
    return run(more);
  };
  const std::vector<json> hits = with({"--search", ""});
  ASSERT_EQ(hits.size(), 1u);
  ASSERT_EQ(hits[0].at("hits").size(), 2u);
  for (const json& hit : hits[0].at("hits"))
    EXPECT_NE(hit.at("index"), 1);
  const std::vector<json> pairs = with({"--duplicates", "-1"});
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].at("index"), (json{0, 2}));
}

TEST_F(EmbedSearch, TextIsForPeople) {
  const Result hits = embed_tiny({"전", "사람", "--search", "사람", "--top-k", "1"});
  EXPECT_EQ(hits.out, "사람\n  1.0000  1  사람\n") << hits.err;
  const Result pairs = embed_tiny({"--duplicates", "0.999", "전", "사람", "전"});
  EXPECT_EQ(pairs.out, "1.0000  0  2  전  |  전\n");
  const Result groups = embed_tiny({"--communities", "0.999", "전", "사람", "전"});
  EXPECT_EQ(groups.out, "1.0000  0  전\n1.0000  2  전\n\n");
}

TEST_F(EmbedSearch, WrongUsage) {
  EXPECT_EQ(embed({"--search", "사람"}).status, 2);
  EXPECT_EQ(embed({"사람", "--top-k", "3"}).status, 2);
  EXPECT_EQ(embed({"사람", "--search", "전", "--duplicates", "0.5"}).status, 2);
  EXPECT_EQ(embed({"사람", "--format", "npy", "--search", "전"}).status, 2);
  EXPECT_EQ(embed({"사람", "--duplicates", "2"}).status, 2);
  EXPECT_EQ(embed({"사람", "--communities", "2"}).status, 2);
  EXPECT_EQ(embed({"사람", "--duplicates", "0.5", "--communities", "0.5"}).status, 2);
  EXPECT_EQ(embed({"사람", "--duplicates", "0.5", "--min-community-size", "3"}).status, 2);
  EXPECT_EQ(embed({"사람", "--communities", "0.5", "--min-community-size", "1"}).status, 2);
  EXPECT_EQ(embed({"사람", "--communities", "0.5", "--format", "npy"}).status, 2);
}

}  // namespace
}  // namespace klue::test
