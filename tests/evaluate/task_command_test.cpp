// The command evaluate with --task, by running it on tiny models with every head.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"

namespace klue::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* kYnat =
    R"([{"guid": "a", "title": "이 다는 사람", "label": "정치"}, {"title": "전", "label": "경제"}])";
constexpr const char* kNli =
    R"([{"premise": "이 다는", "hypothesis": "사람", "gold_label": "neutral"}])";
constexpr const char* kSts =
    R"([{"sentence1": "이", "sentence2": "다", "labels": {"real-label": 1.5}},
        {"sentence1": "사람", "sentence2": "사람", "labels": {"real-label": 5}},
        {"sentence1": "전", "sentence2": "대", "labels": {"real-label": 0}}])";
constexpr const char* kNer =
    "## a\n이\tB-PS\n사\tI-PS\n \tO\n람\tO\n\n## b\n뷁\tB-LC\n뷁\tI-LC\n \tO\n다\tO\n";
constexpr const char* kMrc = R"({"data": [{"title": "t", "paragraphs": [{"context": "이 다는 사람",
    "qas": [{"question": "전?", "guid": "q", "answers": [{"text": "사람", "answer_start": 5}],
             "question_type": 1}, {"question": "왜?", "guid": "r", "answers": [], "question_type": 3}]}]}]})";

class EvaluateTaskTest : public testing::Test {
 protected:
  Result evaluate(const std::string& task, const std::string& model, const std::string& content,
                  std::vector<std::string> more = {}) const {
    const std::string file = directory_.write("파일", content).string();
    more.insert(more.begin(), {"--task", task, "--model", fixture(model).string(), file});
    return run(KLUE_EVALUATE, more);
  }

  // Runs a task, and scores the predictions that it wrote: the scores must be the same.
  nlohmann::json scores(const std::string& task, const std::string& model,
                        const std::string& content) const {
    const std::string predictions = (directory_.path() / "predictions").string();
    const Result ran =
        evaluate(task, model, content, {"--format", "jsonl", "--predictions", predictions});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.err, IsEmpty());
    const nlohmann::json found = nlohmann::json::parse(ran.out);
    const Result scored = run(KLUE_EVALUATE, {"--score", task, "--input", predictions});
    EXPECT_EQ(scored.status, 0) << scored.err;
    const nlohmann::json again = nlohmann::json::parse(scored.out);
    for (const auto& [name, value] : again.items())
      if (name != "name") {
        EXPECT_EQ(found.at(name), value) << name;
      }
    EXPECT_EQ(found.at("what"), "f32");
    return found;
  }

  ScratchDirectory directory_;
};

TEST_F(EvaluateTaskTest, RunsEveryTask) {
  EXPECT_TRUE(scores("ynat", "tiny-11-ynat", kYnat).contains("macro_f1"));
  EXPECT_TRUE(scores("nli", "tiny-11-seqcls", kNli).contains("accuracy"));
  EXPECT_TRUE(scores("sts", "tiny-11-rank", kSts).contains("pearson"));
  const nlohmann::json ner = scores("ner", "tiny-11-tokcls", kNer);
  EXPECT_TRUE(ner.contains("entity_macro_f1"));
  EXPECT_TRUE(ner.contains("character_macro_f1"));
  EXPECT_EQ(ner.at("examples"), 2);
  const nlohmann::json mrc = scores("mrc", "tiny-11-qa", kMrc);
  EXPECT_TRUE(mrc.contains("em"));
  EXPECT_TRUE(mrc.contains("rouge_w"));
  EXPECT_EQ(mrc.at("examples"), 2);
  EXPECT_EQ(scores("mrc", "tiny-11-bert-qa", kMrc).at("examples"), 2);
}

TEST_F(EvaluateTaskTest, PrintsATableForPeople) {
  const Result result = evaluate("nli", "tiny-11-seqcls", kNli);
  EXPECT_EQ(result.status, 0) << result.err;
  const std::vector<std::string> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2u) << result.out;
  EXPECT_EQ(lines[0], "file  examples  what  accuracy");
  EXPECT_THAT(lines[1], StartsWith("파일         1  f32   "));
}

TEST_F(EvaluateTaskTest, NamesTheExampleThatItCannotTake) {
  const Result few = evaluate("re", "tiny-11-re", "[]");
  EXPECT_EQ(few.status, 1);
  EXPECT_THAT(few.err, HasSubstr("so few examples"));
  std::string examples;
  for (int i = 0; i < 5; ++i)
    examples += std::string(i == 0 ? "" : ",") +
                R"({"sentence": "이 다", "label": "no_relation",
                    "subject_entity": {"start_idx": 0, "end_idx": 0},
                    "object_entity": {"start_idx": 2, "end_idx": 2}})";
  const Result at_the_end = evaluate("re", "tiny-11-re", "[" + examples + "]");
  EXPECT_EQ(at_the_end.status, 1);
  EXPECT_THAT(at_the_end.err, HasSubstr("파일: entry 1: </obj>: "));
  EXPECT_THAT(at_the_end.out, IsEmpty());
  EXPECT_THAT(evaluate("ner", "tiny-11-tokcls", "가 B-PS").err, HasSubstr("파일: line 1: "));
  EXPECT_THAT(evaluate("mrc", "tiny-11-qa",
                       R"({"data": [{"paragraphs": [{"context": " ",
                           "qas": [{"question": "전?", "guid": "q7", "answers": []}]}]}]})")
                  .err,
              HasSubstr("파일: q7: context: "));
}

TEST_F(EvaluateTaskTest, RefusesAModelForAnotherTask) {
  const Result result = evaluate("mrc", "tiny-11-seqcls", kMrc);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("answer"));
}

TEST_F(EvaluateTaskTest, PredictionsReplaceNothingThatIsRead) {
  namespace fs = std::filesystem;
  const fs::path model = directory_.path() / "model", data = directory_.write("data", kYnat);
  fs::copy(fixture("tiny-11-ynat"), model);
  for (const fs::path& file : {data, model / "config.json", model / "model.safetensors"}) {
    const auto size = fs::file_size(file);
    const Result result = run(KLUE_EVALUATE, {"--task", "ynat", "--model", model.string(),
                                              data.string(), "--predictions", file.string()});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr("(expected another --predictions"));
    EXPECT_EQ(fs::file_size(file), size);
  }
  // Neither does a run that fails.
  const fs::path older = directory_.write("older", "older");
  EXPECT_EQ(evaluate("ynat", "tiny-11-ynat", "[{}]", {"--predictions", older.string()}).status, 1);
  EXPECT_EQ(fs::file_size(older), 5u);
}

TEST_F(EvaluateTaskTest, AClosedStandardOutputIsNoPredictions) {
  const std::string data = directory_.write("data", kYnat).string(),
                    to = (directory_.path() / "predictions").string();
  const Result result =
      run("/bin/sh", {"-c", "exec \"$0\" \"$@\" >&-", KLUE_EVALUATE, "--task", "ynat", "--model",
                      fixture("tiny-11-ynat").string(), data, "--predictions", to});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("standard output: cannot write"));
  std::ifstream predictions(to);
  std::string line;
  ASSERT_TRUE(std::getline(predictions, line));
  EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_FALSE(std::getline(predictions, line)) << line;
}

TEST_F(EvaluateTaskTest, ReportsWrongUsage) {
  const std::string model = fixture("tiny-11-seqcls").string();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--task", "nli", "x"},
        {"--task", "nli", "--model", model},
        {"--task", "wos", "--model", model, "x"},
        {"--predictions", "y", "x"},
        {"--format", "jsonl", "x"},
        {"--task", "nli", "--model", model, "--score", "nli", "--input", "x"}}) {
    const Result result = run(KLUE_EVALUATE, arguments);
    EXPECT_EQ(result.status, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(result.err, StartsWith("evaluate: "));
    EXPECT_THAT(result.err, testing::EndsWith(" (evaluate --help)\n"));
  }
}

}  // namespace
}  // namespace klue::test
