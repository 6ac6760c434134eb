#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/texts.hpp>

namespace klue {
namespace {

// "[first|second][…]", made while the call lasts, as Model's are.
std::string shown(const Texts& texts) {
  std::string line;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    line.append("[").append(texts[i].text);
    if (texts[i].text_pair) line.append("|").append(*texts[i].text_pair);
    line.append("]");
  }
  return line;
}

// Longer than a string keeps inside itself.
const std::string kLong = "아주 길어서 문자열 안에 들어가지 않는 글 ";

TEST(Texts, OneTextAlone) {
  const std::string text = "하나";
  EXPECT_EQ(shown("하나"), "[하나]");
  EXPECT_EQ(shown(text), "[하나]");
  EXPECT_EQ(shown(std::string_view(text)), "[하나]");
  EXPECT_EQ(shown(text + "!"), "[하나!]");
  EXPECT_EQ(shown(TextPair("하나", "둘")), "[하나|둘]");
}

TEST(Texts, BracesMeanWhatTheySay) {
  const std::string text = "하나";
  EXPECT_EQ(shown({}), "");
  EXPECT_EQ(shown({"하나"}), "[하나]");
  EXPECT_EQ(shown({"하나", "둘"}), "[하나][둘]");
  EXPECT_EQ(shown({"하나", "둘", "셋"}), "[하나][둘][셋]");
  EXPECT_EQ(shown({text, std::string_view("둘"), "셋"}), "[하나][둘][셋]");
  EXPECT_EQ(shown({kLong + "1", kLong + "2"}), "[" + kLong + "1][" + kLong + "2]");
}

TEST(Texts, BracesInBracesArePairs) {
  EXPECT_EQ(shown({{"전제", "가설"}}), "[전제|가설]");
  EXPECT_EQ(shown({{"전제", "가설"}, {"질문", "문단"}}), "[전제|가설][질문|문단]");
  EXPECT_EQ(shown({{"전제", "가설"}, {"혼자"}}), "[전제|가설][혼자]");
  EXPECT_EQ(shown({{kLong + "1", kLong + "2"}}), "[" + kLong + "1|" + kLong + "2]");
}

TEST(Texts, RangesOfTexts) {
  const std::vector<std::string> strings{"하나", "둘"};
  const std::vector<const char*> literals{"하나", "둘"};
  const char* array[] = {"하나", "둘"};
  EXPECT_EQ(shown(strings), "[하나][둘]");
  EXPECT_EQ(shown(std::vector<std::string>(strings)), "[하나][둘]");
  EXPECT_EQ(shown(std::vector<std::string_view>(strings.begin(), strings.end())), "[하나][둘]");
  EXPECT_EQ(shown(literals), "[하나][둘]");
  EXPECT_EQ(shown(array), "[하나][둘]");
  EXPECT_EQ(shown(std::vector<std::string>{}), "");
}

TEST(Texts, RangesOfPairs) {
  const std::vector<std::pair<std::string, std::string>> pairs{{"전제", "가설"}, {"질문", ""}};
  EXPECT_EQ(shown(pairs), "[전제|가설][질문|]");
  EXPECT_EQ(shown(std::map<std::string, std::string>{{"전제", "가설"}}), "[전제|가설]");
  EXPECT_EQ(shown(std::vector<TextPair>{{"혼자"}, {"전제", "가설"}}), "[혼자][전제|가설]");
}

struct Row {
  std::string body;
  operator TextPair() const { return {body, std::nullopt}; }
};

TEST(Texts, RangesOfWhatBecomesAPair) {
  EXPECT_EQ(shown(std::vector<Row>{{"하나"}, {"둘"}}), "[하나][둘]");
}

// Clang before 16 cannot use the views of libstdc++ 12.
#if !defined(__clang__) || __clang_major__ >= 16
TEST(Texts, ViewsOfTexts) {
  const std::vector<Row> rows{{"하나"}, {"둘"}};
  EXPECT_EQ(shown(rows | std::views::transform(&Row::body)), "[하나][둘]");
  EXPECT_EQ(shown(rows | std::views::filter([](const Row& row) { return row.body == "둘"; })),
            "[둘]");
}

TEST(Texts, WhatARangeMakesAsItGoesIsKept) {
  const std::vector<Row> rows{{"하나"}, {"둘"}};
  EXPECT_EQ(shown(rows | std::views::transform([](const Row& row) { return kLong + row.body; })),
            "[" + kLong + "하나][" + kLong + "둘]");
  EXPECT_EQ(shown(rows | std::views::transform([](const Row& row) {
                    return std::pair(kLong + row.body, std::string_view("가설"));
                  })),
            "[" + kLong + "하나|가설][" + kLong + "둘|가설]");
}
#endif

}  // namespace
}  // namespace klue
