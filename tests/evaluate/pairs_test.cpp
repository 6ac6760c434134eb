#include "evaluate/pairs.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"

namespace evaluate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PairsTest : public testing::Test {
 protected:
  std::string file(const std::string& content) const {
    return directory_.write("pairs", content).string();
  }

  void expect_refused(const std::string& content, const std::string& field,
                      const std::string& message) const {
    const std::string path = file(content);
    try {
      read_pairs(path);
      ADD_FAILURE() << "was read: " << content;
    } catch (const klue::FormatError& error) {
      EXPECT_EQ(error.file(), path);
      EXPECT_EQ(error.field(), field) << content;
      EXPECT_THAT(error.what(), HasSubstr(message)) << content;
    }
  }

 private:
  klue::test::ScratchDirectory directory_;
};

TEST_F(PairsTest, ReadsKorSts) {
  const Pairs pairs = read_pairs(
      file("genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\n"
           "main-captions\tMSRvid\t2012test\t0001\t5.000\t\"비행기\"가 뜬다.\t비행기가 뜬다.\n"
           "main-news\theadlines\t2015\t0002\t0.5\t가\t나"));
  EXPECT_THAT(pairs.first, ElementsAre("\"비행기\"가 뜬다.", "가"));
  EXPECT_THAT(pairs.second, ElementsAre("비행기가 뜬다.", "나"));
  EXPECT_THAT(pairs.scores, ElementsAre(5.0, 0.5));
}

TEST_F(PairsTest, ReadsAnyTableThatNamesTheColumns) {
  const Pairs pairs =
      read_pairs(file("\xEF\xBB\xBFsentence2\tscore\tsentence1\r\n"
                      "나\t1\t가\r\n\t-2e-1\t라\r\n\r\n"));
  EXPECT_THAT(pairs.first, ElementsAre("가", "라"));
  EXPECT_THAT(pairs.second, ElementsAre("나", ""));
  EXPECT_THAT(pairs.scores, ElementsAre(1.0, -0.2));
}

TEST_F(PairsTest, ReadsKlueSts) {
  const Pairs pairs = read_pairs(file(R"( [
    {"guid": "0", "sentence1": "가", "sentence2": "나",
     "labels": {"label": 4.9, "real-label": 4.857, "binary-label": 1}},
    {"sentence1": "\ub2e4", "sentence2": "라\t", "labels": {"real-label": 0}}])"));
  EXPECT_THAT(pairs.first, ElementsAre("가", "다"));
  EXPECT_THAT(pairs.second, ElementsAre("나", "라\t"));
  EXPECT_THAT(pairs.scores, ElementsAre(4.857, 0.0));
}

TEST_F(PairsTest, RefusesWhatIsNeither) {
  for (const char* content : {"", "\n\n", "한 문장\n또 한 문장\n", "{\"a\": 1}",
                              "sentence1\tsentence2\n가\t나\n", "\xEF\xBB\xBF"})
    expect_refused(content, "line 1", "neither KLUE-STS nor a table");
}

TEST_F(PairsTest, RefusesADamagedTable) {
  const std::string head = "score\tsentence1\tsentence2\n3\t가\t나\n";
  expect_refused(head + "1\t가\n", "line 3", "expected 3, found 2");
  expect_refused(head + "1\t가\t나\t다\n", "line 3", "expected 3, found 4");
  expect_refused(head + "\n1\t가\t나\n", "line 3", "expected 3, found 1");
  for (const char* score : {"", "x", "1,5", "1 ", "nan", "inf", "1e999", "0x1"})
    expect_refused(head + score + "\t가\t나\n", "line 3", "not a score");
}

TEST_F(PairsTest, RefusesADamagedKlueFile) {
  const std::string good = R"({"sentence1": "가", "sentence2": "나", "labels": {"real-label": 1}})";
  const auto expect_bad_entry = [&](const std::string& entry, const char* message) {
    expect_refused("[" + good + "," + entry + "]", "entry 2", message);
  };
  expect_bad_entry("3", "sentence1");
  expect_bad_entry("[]", "sentence1");
  expect_bad_entry(R"({"sentence1": 1})", "sentence1");
  expect_bad_entry(R"({"sentence1": "가", "sentence2": null})", "sentence2");
  expect_bad_entry(R"({"sentence1": "가", "sentence2": "나"})", "real-label");
  expect_bad_entry(R"({"sentence1": "가", "sentence2": "나", "labels": [1]})", "real-label");
  expect_bad_entry(R"({"sentence1": "가", "sentence2": "나", "labels": {"label": 1}})",
                   "real-label");
  expect_bad_entry(R"({"sentence1": "가", "sentence2": "나", "labels": {"real-label": "1"}})",
                   "real-label");
  expect_refused("[" + good + ",", "", "not valid JSON");
  expect_refused("[" + good + "] x", "", "not valid JSON");
  expect_refused("[\"\xFF\"]", "", "not valid JSON");
  expect_refused(std::string(100'000, '['), "", "not valid JSON");
}

TEST_F(PairsTest, RefusesTooFewPairs) {
  expect_refused("[]", "", "expected 2 or more, found 0");
  expect_refused("score\tsentence1\tsentence2\n1\t가\t나\n", "", "expected 2 or more, found 1");
}

TEST_F(PairsTest, SaysWhatCannotBeRead) {
  EXPECT_THROW(read_pairs("/no/such/file"), klue::IoError);
  EXPECT_THROW(read_pairs(testing::TempDir()), klue::IoError);
}

}  // namespace
}  // namespace evaluate
