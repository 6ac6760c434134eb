#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/text/detail/added_tokens.hpp>

namespace klue {
using namespace detail;
namespace {

using ::testing::ElementsAre;

AddedTokenMatcher matcher(const std::vector<AddedToken>& tokens) {
  std::vector<std::string> spellings;
  for (const AddedToken& token : tokens)
    spellings.push_back(token.content);
  return AddedTokenMatcher(tokens, spellings);
}

/// The parts of a text, added tokens in angle brackets: {"a ", "<[M]>"}.
std::vector<std::string> parts(const std::vector<AddedToken>& tokens, std::string_view text) {
  std::vector<std::string> result;
  for (const auto& part : matcher(tokens).split(text)) {
    const std::string content(text.substr(part.begin, part.end - part.begin));
    result.push_back(part.id ? "<" + content + ">" : content);
  }
  return result;
}

TEST(AddedTokensTest, LeftmostThenLongest) {
  const std::vector<AddedToken> tokens = {
      {.content = "ab", .id = 1}, {.content = "abc", .id = 2}, {.content = "bcd", .id = 3}};
  EXPECT_THAT(parts(tokens, "xabcd"), ElementsAre("x", "<abc>", "d"));
  EXPECT_THAT(parts(tokens, "abab"), ElementsAre("<ab>", "<ab>"));
  EXPECT_THAT(parts(tokens, "acbd"), ElementsAre("acbd"));
  EXPECT_THAT(parts(tokens, ""), ElementsAre());
}

TEST(AddedTokensTest, StripsWhitespaceOfAnyKind) {
  const std::vector<AddedToken> left = {{.content = "[M]", .id = 1, .lstrip = true}};
  EXPECT_THAT(parts(left, "a \u3000[M] b"), ElementsAre("a", "< \u3000[M]>", " b"));
  const std::vector<AddedToken> both = {
      {.content = "[M]", .id = 1, .lstrip = true, .rstrip = true}};
  EXPECT_THAT(parts(both, "[M] \n [M]"), ElementsAre("<[M] \n >", "<[M]>"));
}

TEST(AddedTokensTest, SingleWordsTouchNoOther) {
  const std::vector<AddedToken> tokens = {{.content = "[M]", .id = 1, .single_word = true}};
  EXPECT_THAT(parts(tokens, "가[M] [M] [M]9 ([M])"),
              ElementsAre("가[M] ", "<[M]>", " [M]9 (", "<[M]>", ")"));
}

TEST(AddedTokensTest, BesideInvalidBytes) {
  const std::vector<AddedToken> tokens = {
      {.content = "[M]", .id = 1, .single_word = true, .lstrip = true}};
  EXPECT_THAT(parts(tokens, "\xEA\xB0[M]\xFF"), ElementsAre("\xEA\xB0", "<[M]>", "\xFF"));
  EXPECT_THAT(parts(tokens, "\x80\x80\x80\x80 [M]"), ElementsAre("\x80\x80\x80\x80", "< [M]>"));
}

}  // namespace
}  // namespace klue
