// The command evaluate, by running it.

#include "cli/command.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/scratch_directory.hpp"

namespace klue::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* kPairs =
    "score\tsentence1\tsentence2\n"
    "5\t사람이 간다\t사람이 간다\n"
    "3\t사람이 간다\t사람이 온다\n"
    "0\t사람이 간다\t비가 많이 왔다\n";

Result evaluate(const std::vector<std::string>& arguments) {
  return run(KLUE_EVALUATE, arguments);
}

class EvaluateTest : public testing::Test {
 protected:
  // The three pairs, with the fixture tiny-11.
  Result evaluate_tiny(std::vector<std::string> arguments) const {
    arguments.push_back(file_.string());
    arguments.insert(arguments.begin(), {"--model", fixture("tiny-11").string()});
    return evaluate(arguments);
  }

  ScratchDirectory directory_;
  std::filesystem::path file_ = directory_.write("세 쌍.tsv", kPairs);
};

TEST_F(EvaluateTest, PrintsTheBaselineAndEveryPrecision) {
  const Result result = evaluate_tiny({"--precision", "f32"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  const std::vector<std::string> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 3u) << result.out;
  EXPECT_THAT(lines[0], StartsWith("file"));
  EXPECT_THAT(lines[1], StartsWith("세 쌍.tsv      3  ngrams    1.0000  "));
  EXPECT_THAT(lines[2], StartsWith("세 쌍.tsv      3  f32 "));
}

TEST_F(EvaluateTest, TakesPrecisionsOneByOne) {
  const Result result =
      evaluate_tiny({"--precision", "f32", "--precision", "f32", "--no-baseline"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(lines_of(result.out).size(), 3u) << result.out;
}

TEST_F(EvaluateTest, TakesFilesAfterAPrecision) {
  const Result result = evaluate({"--model", fixture("tiny-11").string(), "--no-baseline",
                                  "--precision", "f32", file_.string(), file_.string()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(lines_of(result.out).size(), 3u) << result.out;
}

TEST_F(EvaluateTest, HasEveryPrecisionOnEveryProcessor) {
  ASSERT_EQ(::setenv("KLUE_ISA", "baseline", 1), 0);
  const Result all = evaluate_tiny({"--no-baseline"});
  const Result asked = evaluate_tiny({"--precision", "int8"});
  ::unsetenv("KLUE_ISA");
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_EQ(lines_of(all.out).size(), 4u) << all.out;
  EXPECT_THAT(all.err, IsEmpty());
  EXPECT_EQ(asked.status, 0) << asked.err;
}

TEST_F(EvaluateTest, ReportsFailures) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"/no/such/file"},
        {"/"},
        {directory_.write("x", "x").string()},
        {"--model", "/no/such/model", file_.string()}}) {
    const Result result = evaluate(arguments);
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, StartsWith("evaluate: /"));
    EXPECT_EQ(lines_of(result.err).size(), 1u) << result.err;
    EXPECT_THAT(result.out, IsEmpty());
  }
}

// What [UNK] is like has a correlation, too.
TEST_F(EvaluateTest, ReadsUtf8Alone) {
  const Result result =
      evaluate({"--quiet", directory_
                               .write("pairs.tsv",
                                      "sentence1\tsentence2\tscore\n"
                                      "\xC7\xCF\t\xB3\xAA\t1\n\xB5\xD1\t\xBC\xC2\t2\n")
                               .string()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("pairs.tsv: is no text in UTF-8 but looks like CP949"));
  EXPECT_THAT(result.out, IsEmpty());
}

TEST_F(EvaluateTest, ScoresPredictions) {
  const std::string line = R"({"name": "가", "gold": [0, 1, 2, 0], "predictions": [0, 1, 2, 1]})";
  const std::string expected = "{\"name\": \"가\", \"accuracy\": 75}\n";
  const Result from_file =
      evaluate({"--score", "nli", "--input", directory_.write("sets", line).string()});
  EXPECT_EQ(from_file.status, 0) << from_file.err;
  EXPECT_EQ(from_file.out, expected);
  EXPECT_EQ(run(KLUE_EVALUATE, {"--score", "nli", "--input", "-"}, line + "\n").out, expected);
}

TEST_F(EvaluateTest, ReportsWhatCannotBeScored) {
  const Result refused =
      run(KLUE_EVALUATE, {"--score", "sts", "--input", "-"}, R"({"gold": [], "predictions": []})");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out, HasSubstr("\"error\""));
  EXPECT_THAT(refused.err, StartsWith("evaluate: standard input: line 1: predictions: "));
  const Result malformed = run(KLUE_EVALUATE, {"--score", "sts", "--input", "-"}, "\n{}");
  EXPECT_EQ(malformed.status, 1);
  EXPECT_EQ(malformed.err, "evaluate: standard input: line 2: gold: missing (expected a list)\n");
  for (const char* path : {"/no/such/file", "/"})
    EXPECT_EQ(evaluate({"--score", "sts", "--input", path}).status, 1);
}

TEST_F(EvaluateTest, ReportsWrongUsage) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"--modle", "x", "y"},
                                                    {"--precision", "f64", "y"},
                                                    {"--threads", "-1", "y"},
                                                    {"--score", "dp", "--input", "y"},
                                                    {"--score", "nli"},
                                                    {"--input", "y", "z"},
                                                    {"--score", "nli", "--input", "y", "z"}}) {
    const Result result = evaluate(arguments);
    EXPECT_EQ(result.status, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(EvaluateTest, ANameInBracketsIsNoList) {
  const Result result = evaluate({"--model", fixture("tiny-11").string(), "[가, 나]"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, StartsWith("evaluate: [가, 나]: "));
}

TEST_F(EvaluateTest, ReportsAFullDisk) {
  const Result result = run(
      KLUE_EVALUATE, {"--model", fixture("tiny-11").string(), "--precision", "f32", file_.string()},
      {}, "/dev/full");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot write"));
}

TEST_F(EvaluateTest, HelpNamesEveryOption) {
  const Result result = evaluate({"--help"});
  EXPECT_EQ(result.status, 0);
  for (const char* word :
       {"FILE", "--model", "--preprocessor", "--precision", "f32|bf16|int8", "--pooling",
        "--dialect", "--max-length", "--threads", "--no-baseline", "--format", "--quiet", "--score",
        "--input", "KLUE-STS", "KorSTS", "Exit status"})
    EXPECT_THAT(result.out, HasSubstr(word));
}

}  // namespace
}  // namespace klue::test
