#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/scratch_directory.hpp"
#include "predict/predict.hpp"

namespace klue {
namespace {

using test::fixture;
using test::lines_of;
using test::predict;
using test::Result;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

void expect_refused(const Result& result, int status, const char* message) {
  EXPECT_EQ(result.status, status) << result.err;
  EXPECT_THAT(result.err, HasSubstr(message));
}

TEST(PredictUsage, HelpNamesEveryOption) {
  const Result result = test::run(KLUE_PREDICT, {"--help"});
  EXPECT_EQ(result.status, 0);
  for (const char* option :
       {"--model", "--task", "--input", "--input-format", "--format", "--top-k", "--activation",
        "--aggregation", "--max-length", "--stride", "--max-answer-length", "--no-answer",
        "--no-align-words", "--targets", "--precision", "--threads", "NO_COLOR"})
    EXPECT_THAT(result.out, HasSubstr(option));
  EXPECT_EQ(test::run(KLUE_PREDICT, {"--version"}).out, "predict " KLUE_VERSION "\n");
}

TEST(PredictUsage, WrongUsageIsStatusTwo) {
  expect_refused(predict("tiny-11-seqcls", {}), 2, "nothing to do");
  expect_refused(predict("tiny-11-seqcls", {"사람", "--input", "-"}), 2, "exclude");
  expect_refused(predict("tiny-11-seqcls", {"사람", "--task", "dance"}), 2, "dance");
  expect_refused(predict("tiny-11-seqcls", {"사람", "--top-k", "0"}), 2, "--top-k");
  expect_refused(predict("tiny-11-rank", {"사람", "전"}), 2, "classify or rank");
  expect_refused(predict("tiny-11-tokcls", {"사람", "--targets", "전"}), 2, "--targets");
  expect_refused(predict("tiny-11-tokcls", {"사람", "--top-k", "3"}), 2, "--top-k");
  expect_refused(predict("tiny-11", {"[MASK]", "--max-length", "9"}), 2, "--max-length");
  expect_refused(predict("tiny-11-seqcls", {"사람", "--out", ""}), 2, "--out: expected");
  for (const char* option : {"--field", "--pair-field"})
    expect_refused(predict("tiny-11-seqcls", {"사람", option, "a"}), 2, option);
  expect_refused(predict("tiny-11-seqcls", {"사람", "--input-format", "tsv"}), 2, "--input-format");
  for (const char* number : {"nan", "inf", "much"})
    expect_refused(predict("tiny-11-qa", {"사람?", "전", "--no-answer-threshold", number}), 2,
                   "--no-answer-threshold: expected a number, found");
}

TEST(PredictUsage, WhatAModelIsNotGoodFor) {
  expect_refused(predict("tiny-11-seqcls", {"사람", "--task", "tag"}), 1,
                 "no head for the task tag");
  expect_refused(predict("tiny-11-bare", {"사람"}), 1, "an encoder alone");
  expect_refused(test::run(KLUE_PREDICT, {"--model", "/no/such/model", "사람"}), 1,
                 "no such model");
}

// What stands before a line that cannot be run is done, and the message names the line.
TEST(PredictUsage, ABadLineIsNamed) {
  const Result result = predict("tiny-11", {"--input", "-", "--format", "jsonl"},
                                "이 [MASK]\n[MASK] 전\n사람\n[MASK]\n");
  expect_refused(result, 1, "standard input: line 3: ");
  EXPECT_THAT(result.err, HasSubstr("no mask in the text"));
  EXPECT_THAT(lines_of(result.out), SizeIs(2));
  expect_refused(predict("tiny-11-qa", {"--input", "-"}, "사람?\n"), 1, "line 1: ");
  expect_refused(predict("tiny-11-qa", {"--input", "-", "--input-format", "jsonl"},
                         "{\"question\": \"사람?\", \"context\": \"\"}\n"),
                 1, "line 1: context: must not be empty");
}

TEST(PredictUsage, ALineThatIsNotOfTheFormat) {
  for (const char* line : {"사람", "[]", "{\"text\": 1}", "{\"question\": \"가\"}",
                           "{\"text\": \"가\", \"text_pair\": 1}", "{\"text\": \"가\""})
    expect_refused(predict("tiny-11-seqcls", {"--input", "-", "--input-format", "jsonl"}, line), 1,
                   "line 1: ");
  expect_refused(
      predict("tiny-11-seqcls", {"--input", "-", "--input-format", "tsv"}, "가\t나\t다\n"), 1,
      "too many columns");
}

// As it is for every other task.
TEST(PredictUsage, QuestionsAreKnownByNameOrFirstLine) {
  const test::ScratchDirectory directory;
  const std::string line = "{\"question\": \"사람?\", \"context\": \"이 다는 사람\"}\n";
  const auto answers = [&](std::vector<std::string> arguments, const std::string& input) {
    arguments.insert(arguments.end(), {"--format", "jsonl", "--quiet"});
    const Result result = predict("tiny-11-qa", arguments, input);
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  };
  const std::string wanted = answers({"--input", "-", "--input-format", "jsonl"}, line);
  EXPECT_THAT(wanted, StartsWith("{\"answers\":[{"));
  EXPECT_EQ(answers({"--input", "-"}, line), wanted);
  EXPECT_EQ(answers({"--input", "-"}, "사람?\t이 다는 사람\n"), wanted);
  const auto named = [&](const char* name, const std::string& content) {
    return answers({"--input", directory.write(name, content).string()}, "");
  };
  EXPECT_EQ(named("questions", line), wanted);
  EXPECT_EQ(named("q.jsonl", line), wanted);
  EXPECT_EQ(named("q.csv", "id,context,question\n1,이 다는 사람,사람?\n"), wanted);
  ASSERT_EQ(test::run("/bin/gzip", {(directory.path() / "q.jsonl").string()}).status, 0);
  EXPECT_EQ(answers({"--input", (directory.path() / "q.jsonl.gz").string()}, ""), wanted);
  EXPECT_EQ(answers({"--input", "-", "--field", "q"},
                    "{\"q\": \"사람?\", \"context\": \"이 다는 사람\"}\n"),
            wanted);
}

TEST(PredictUsage, TheArgumentsOfAnswerAndRank) {
  expect_refused(predict("tiny-11-qa", {"사람?"}), 1, "a question and the context");
  expect_refused(predict("tiny-11-rank", {"--task", "rank", "사람"}), 1, "documents");
}

TEST(PredictUsage, KeepsTheFilesOfTheModel) {
  const test::ScratchDirectory directory;
  const std::filesystem::path model = directory.path() / "model";
  std::filesystem::copy(fixture("tiny-11-seqcls"), model);
  for (const char* name : {"model.safetensors", "config.json"}) {
    const std::filesystem::path file = model / name;
    const auto size = std::filesystem::file_size(file);
    expect_refused(
        test::run(KLUE_PREDICT, {"--model", model.string(), "사람", "--out", file.string()}), 1,
        "would replace a file of the model");
    EXPECT_EQ(std::filesystem::file_size(file), size);
  }
}

TEST(PredictUsage, FullDisksAndMissingFiles) {
  expect_refused(predict("tiny-11-seqcls", {"사람", "--out", "/dev/full"}), 1, "cannot write");
  expect_refused(predict("tiny-11-seqcls", {"--input", "/no/such/file"}), 1, "/no/such/file");
  expect_refused(predict("tiny-11-seqcls", {"--input", "/"}), 1, "directory");
}

// "[MASK]" at the end of an argument is no list.
TEST(PredictUsage, BracketsAreText) {
  EXPECT_THAT(predict("tiny-11", {"사람은 [MASK]"}).out, StartsWith("사람은 [MASK]\n"));
  EXPECT_EQ(predict("tiny-11", {"[MASK]", "--targets", "[SEP]"}).status, 0);
}

}  // namespace
}  // namespace klue
