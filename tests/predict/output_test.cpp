// What people and spreadsheets read.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "predict/predict.hpp"

namespace klue {
namespace {

using test::fixture;
using test::lines_of;
using test::predict;
using test::Result;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

TEST(PredictText, LabelsBestFirst) {
  const Result result = predict("tiny-11-seqcls", {"이 다는 사람", "전"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto lines = lines_of(result.out);
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0], "이 다는 사람");
  EXPECT_THAT(lines[1], MatchesRegex("  LABEL_[012] 0\\.[0-9]{4}   LABEL_.*"));
}

// The text with brackets taken out again is the text.
TEST(PredictText, EntitiesAreMarkedInTheSentence) {
  const std::string text = "위치가 좋은 숙소입니다.";
  const Tagger tagger(Model::load(fixture("tiny-11-tokcls")));
  const auto entities = tagger.tag(text);
  ASSERT_FALSE(entities.empty());
  std::string marked;
  std::size_t at = 0;
  for (const Entity& e : entities) {
    marked.append(text, at, e.offset.begin - at).append("[");
    marked.append(text, e.offset.begin, e.offset.end - e.offset.begin);
    marked.append(" ").append(e.label).append("]");
    at = e.offset.end;
  }
  marked.append(text, at);
  EXPECT_EQ(predict("tiny-11-tokcls", {text}).out, marked + "\n");
}

TEST(PredictText, AnAnswerStandsInItsSentence) {
  const std::string context = "전 대. 이 다는 사람. 위치가 좋은 숙소입니다. 전 대";
  const Result result = predict("tiny-11-qa", {"사람은?", context, "--top-k", "5"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines[0], "사람은?");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::string line = lines[i].substr(lines[i].find("  ", 2) + 2);
    EXPECT_THAT(line, HasSubstr("【"));
    for (const char* mark : {"【", "】"})
      line.erase(line.find(mark), 3);
    EXPECT_THAT(context, HasSubstr(line));
  }
}

TEST(PredictText, NoAnswer) {
  EXPECT_EQ(predict("tiny-11-qa", {"사람은?", "   ", "--no-answer"}).out,
            "사람은?\n  1.0000  no answer\n");
  EXPECT_EQ(predict("tiny-11-qa", {"사람은?", "   "}).out, "사람은?\n  no answer\n");
}

TEST(PredictText, DocumentsOfAQueryAreSorted) {
  const Result result = predict("tiny-11-rank", {"--task", "rank", "사람", "전", "위치가 좋은 숙소",
                                                 "이 다는", "--top-k", "2"});
  const auto lines = lines_of(result.out);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_GE(lines[0].substr(0, 6), lines[1].substr(0, 6));
}

TEST(PredictJson, SortedDocumentsSayWhichTheyAre) {
  const std::vector<std::string> documents{"전", "위치가 좋은 숙소", "이 다는"};
  std::vector<std::string> arguments{"--task", "rank", "--format", "jsonl", "사람"};
  arguments.insert(arguments.end(), documents.begin(), documents.end());
  const auto lines = lines_of(predict("tiny-11-rank", arguments).out);
  ASSERT_THAT(lines, SizeIs(3));
  const Ranker ranker(Model::load(fixture("tiny-11-rank")));
  const auto ranked = ranker.rank("사람", documents);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(nlohmann::json::parse(lines[i]),
              nlohmann::json({{"index", ranked[i].index}, {"score", ranked[i].score}}));
}

TEST(PredictText, MasksHaveALineEach) {
  const auto lines = lines_of(predict("tiny-11", {"이 [MASK] 사람", "[MASK] 전 [MASK]"}).out);
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_EQ(lines[0], "이 [MASK] 사람");
  EXPECT_THAT(lines[3], StartsWith("  1: "));
  EXPECT_THAT(lines[4], StartsWith("  2: "));
}

// No terminal here, so there is nothing but text.
TEST(PredictText, NoColourInAFile) {
  EXPECT_THAT(predict("tiny-11-tokcls", {"위치가 좋은"}).out, Not(HasSubstr("\x1b")));
}

TEST(PredictTsv, HasAHeaderAndARowForEachResult) {
  const auto header = [](const char* model, const std::vector<std::string>& arguments) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--format", "tsv"});
    const Result result = predict(model, all);
    EXPECT_EQ(result.status, 0) << result.err;
    const auto lines = lines_of(result.out);
    EXPECT_GE(lines.size(), 2u);
    for (const std::string& line : lines)
      EXPECT_EQ(std::ranges::count(line, '\t'), std::ranges::count(lines[0], '\t')) << line;
    return lines[0];
  };
  EXPECT_EQ(header("tiny-11-seqcls", {"이\t다는 사람", "전"}), "line\tlabel\tscore");
  EXPECT_EQ(header("tiny-11-rank", {"--task", "rank", "이", "전"}), "line\tscore");
  EXPECT_EQ(header("tiny-11-tokcls", {"이\t다는\n사람"}),
            "line\tlabel\tscore\tstart\tend\tstart_char\tend_char\ttext");
  EXPECT_EQ(header("tiny-11-qa", {"사람?", "이\t다는\n사람"}),
            "line\tscore\tstart\tend\tstart_char\tend_char\tanswer");
  EXPECT_EQ(header("tiny-11", {"이 [MASK]"}), "line\tmask\ttoken\ttoken_str\tscore\tsequence");
}

TEST(PredictInput, LinesAndTsv) {
  EXPECT_THAT(
      lines_of(
          predict("tiny-11-seqcls", {"--input", "-", "--format", "jsonl"}, "전\n이 다는\r\n").out),
      SizeIs(2));
  const std::string pairs = "이 다는\t사람\n";
  EXPECT_EQ(
      predict("tiny-11-rank",
              {"--task", "rank", "--input", "-", "--input-format", "tsv", "--format", "tsv"}, pairs)
          .out,
      predict("tiny-11-rank", {"--task", "rank", "이 다는", "사람", "--format", "tsv"}).out);
  EXPECT_EQ(
      predict("tiny-11-qa", {"--input", "-", "--input-format", "tsv", "--format", "jsonl"}, pairs)
          .out,
      predict("tiny-11-qa", {"이 다는", "사람", "--format", "jsonl"}).out);
}

}  // namespace
}  // namespace klue
