#include "evaluate/klue_files.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"

namespace evaluate {
namespace {

using testing::ElementsAre;

class KlueFilesTest : public testing::Test {
 protected:
  std::string file(const std::string& content) const {
    return directory_.write("klue.json", content).string();
  }

  template <class Read>
  void expect_refused(const Read& read, const std::string& content,
                      const std::string& field) const {
    const std::string path = file(content);
    try {
      read(path);
      ADD_FAILURE() << "was read: " << content;
    } catch (const klue::FormatError& error) {
      EXPECT_EQ(error.file(), path);
      EXPECT_EQ(error.field(), field) << error.what();
    }
  }

 private:
  klue::test::ScratchDirectory directory_;
};

TEST_F(KlueFilesTest, ReadsTopics) {
  const auto examples = read_ynat(
      file("\xEF\xBB\xBF"
           R"([{"guid": "ynat-v1_dev_00000", "title": "5억원 무이자 융자는 되고", "label": "사회"},
          {"title": "", "label": "스포츠", "annotations": {}}])"));
  ASSERT_EQ(examples.size(), 2u);
  EXPECT_EQ(examples[0].text, "5억원 무이자 융자는 되고");
  EXPECT_FALSE(examples[0].pair);
  EXPECT_EQ(examples[0].label, 2);
  EXPECT_EQ(examples[1].label, 6);
}

TEST_F(KlueFilesTest, ReadsInferences) {
  const auto examples = read_nli(
      file(R"([{"premise": "가", "hypothesis": "나", "gold_label": "neutral", "label2": "x"}])"));
  ASSERT_EQ(examples.size(), 1u);
  EXPECT_EQ(examples[0].pair, "나");
  EXPECT_EQ(examples[0].label, 2);
}

TEST_F(KlueFilesTest, ReadsRelations) {
  const auto examples = read_re(file(R"([{"sentence": "가나다", "label": "per:title",
      "subject_entity": {"word": "가", "start_idx": 0, "end_idx": "1", "type": "PER"},
      "object_entity": {"word": "다", "start_idx": 2, "end_idx": 2}}])"));
  ASSERT_EQ(examples.size(), 1u);
  EXPECT_EQ(examples[0].label, 29);
  EXPECT_EQ(examples[0].subject.last, 1);
  EXPECT_EQ(examples[0].object.start, 2);
}

TEST_F(KlueFilesTest, ReadsQuestions) {
  const auto examples = read_mrc(file(R"({"version": "v1.1", "data": [{"title": "t", "paragraphs":
      [{"context": "가 나", "qas": [
        {"question": "무엇?", "guid": "q1", "answers": [{"text": "가", "answer_start": 0},
                                                       {"text": "나", "answer_start": 2}],
         "question_type": 2, "is_impossible": false},
        {"question": "왜?", "guid": "q2", "answers": []}]}]}]})"));
  ASSERT_EQ(examples.size(), 2u);
  EXPECT_EQ(examples[0].context, "가 나");
  EXPECT_THAT(examples[0].answers, ElementsAre("가", "나"));
  EXPECT_EQ(examples[0].type, 2);
  EXPECT_TRUE(examples[1].answers.empty());
  EXPECT_EQ(examples[1].type, 1);
  EXPECT_EQ(examples[1].id, "q2");
}

TEST_F(KlueFilesTest, RefusesWhatIsNoneOfThem) {
  for (const char* content : {"", "{", "{}", "7", "\xFF"})
    expect_refused(read_ynat, content, "");
  expect_refused(read_ynat, "[7]", "entry 1");
  expect_refused(read_ynat, R"([{"title": "가"}])", "entry 1: label");
  expect_refused(read_ynat, R"([{"title": 7, "label": "사회"}])", "entry 1: title");
  expect_refused(read_ynat, R"([{"title": "가", "label": "날씨"}])", "entry 1: label");
  expect_refused(read_nli,
                 R"([{"premise": "가", "hypothesis": "나", "gold_label": "neutral"}, {}])",
                 "entry 2: premise");
  expect_refused(read_re, R"([{"sentence": "가", "subject_entity": 1}])",
                 "entry 1: subject_entity");
  for (const char* index : {"\"x\"", "1.5", "99999999999999999999", "-9999999999", "null"})
    expect_refused(
        read_re,
        std::string(R"([{"sentence": "가", "subject_entity": {"start_idx": )") + index + "}}]",
        "entry 1: subject_entity: start_idx");
  expect_refused(read_mrc, "[]", "");
  expect_refused(read_mrc, R"({"data": 1})", "data");
  expect_refused(read_mrc, R"({"data": [{"paragraphs": [{"context": 1}]}]})",
                 "data[0]: paragraphs[0]: context");
  EXPECT_THROW(read_mrc("/no/such/file"), klue::IoError);
  EXPECT_THROW(read_mrc("/"), klue::IoError);
}

}  // namespace
}  // namespace evaluate
