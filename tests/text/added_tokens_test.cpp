#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/text/detail/added_tokens.hpp>

#include "text/random_text.hpp"

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
  const AddedTokenMatcher found = matcher(tokens);
  AddedTokenMatcher::Parts parts(found, text);
  while (const auto part = parts.next()) {
    EXPECT_LT(part->begin, part->end);
    const std::string_view content = text.substr(part->begin, part->end - part->begin);
    std::string& shown = result.emplace_back(part->token != nullptr ? "<" : "");
    shown.append(content).append(part->token != nullptr ? ">" : "");
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

// Found by comparing with the original: it drops a token that an earlier one has taken along.
TEST(AddedTokensTest, WhatHasBeenTakenAlongIsNoTokenAgain) {
  const std::vector<AddedToken> tokens = {{.content = "<t>", .id = 1, .rstrip = true},
                                          {.content = " ", .id = 2, .lstrip = true}};
  EXPECT_THAT(parts(tokens, "<t> "), ElementsAre("<<t> >"));
  EXPECT_THAT(parts(tokens, "<t>  a"), ElementsAre("<<t>  >", "a"));
  EXPECT_THAT(parts(tokens, "a <t>"), ElementsAre("a", "< >", "<<t>>"));
}

// One that takes nothing along itself is found there once more, as in the original.
TEST(AddedTokensTest, ATokenThatTakesNothingKeepsWhatItMatched) {
  const std::vector<AddedToken> tokens = {{.content = "<t>", .id = 1, .rstrip = true},
                                          {.content = " ", .id = 2}};
  EXPECT_THAT(parts(tokens, "<t>  a"), ElementsAre("<<t>  >", "< >", "< >", "a"));
}

TEST(AddedTokensTest, OfEqualSpellingsTheFirstCounts) {
  const std::vector<AddedToken> tokens = {{.content = "a", .id = 1}, {.content = "A", .id = 2}};
  const std::vector<std::string> spellings = {"a", "a"};
  const AddedTokenMatcher found(tokens, spellings);
  EXPECT_EQ(AddedTokenMatcher::Parts(found, "a").next()->token->id, 1);
}

TEST(AddedTokensTest, SpecialTokensAreLookedForFirst) {
  const std::vector<AddedToken> listed = {
      {.content = "A", .id = 7}, {.content = ""}, {.content = "a", .id = 8, .special = true}};
  EXPECT_THAT(in_search_order(listed), ElementsAre(listed[2], listed[0]));
}

TEST(AddedTokensTest, TheLastListingHasTheFlags) {
  const AddedToken first{.content = "a", .id = 7, .rstrip = true};
  AddedToken last{.content = "a", .id = 7, .lstrip = true, .normalized = false, .special = true};
  EXPECT_THAT(in_search_order(std::vector{first, last}), ElementsAre(last));
  last.special = false;
  const std::vector<AddedToken> order = in_search_order(std::vector{first, last, last});
  ASSERT_EQ(order.size(), 2u);  // in the normalized text and in the raw text
  EXPECT_TRUE(order[0].lstrip && order[0].normalized);
  EXPECT_TRUE(order[1].lstrip && !order[1].normalized);
}

/// The same by trying every token everywhere.
std::vector<std::string> slow_parts(const std::vector<AddedToken>& tokens, std::string_view text) {
  std::vector<std::string> result;
  std::string before;
  while (!text.empty()) {
    std::string_view longest;
    for (const AddedToken& token : tokens)
      if (text.starts_with(token.content) && token.content.size() > longest.size())
        longest = token.content;
    if (longest.empty()) {
      before += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (!before.empty()) result.push_back(std::exchange(before, {}));
    result.emplace_back("<").append(longest).append(">");
    text.remove_prefix(longest.size());
  }
  if (!before.empty()) result.push_back(before);
  return result;
}

TEST(AddedTokensTest, LongAndShortOnesAsASlowSearchFindsThem) {
  test::Random random(7);
  const auto word = [&random](std::size_t longest) {
    std::string text;
    for (std::size_t length = 1 + random(longest); length > 0; --length)
      text += "aaab"[random(4)];
    return text;
  };
  for (int round = 0; round < 500; ++round) {
    std::vector<AddedToken> tokens;
    for (std::size_t n = 1 + random(6); n > 0; --n)
      tokens.push_back({.content = word(round % 2 == 0 ? 6 : 60)});
    const std::string text = word(300);
    ASSERT_EQ(parts(tokens, text), slow_parts(tokens, text)) << text;
  }
}

/// Seconds of this process that it takes to cut a text into its parts.
double seconds_for(const std::vector<AddedToken>& tokens, std::string_view text) {
  const AddedTokenMatcher found = matcher(tokens);
  const std::clock_t start = std::clock();
  AddedTokenMatcher::Parts parts(found, text);
  while (parts.next()) {
  }
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

TEST(AddedTokensTest, TimeIsLinearWhateverTheTokens) {
  const std::size_t size = 1'000'000;  // squared, that would be hours
  const std::string a(size, 'a'), spaces(size, ' ');
  const AddedToken short_one{.content = "a"}, long_one{.content = a.substr(size / 2).append("!")};
  EXPECT_LT(seconds_for({long_one}, a), 2);
  EXPECT_LT(seconds_for({short_one, long_one}, a), 2);
  EXPECT_LT(seconds_for({{.content = " ", .rstrip = true}}, spaces), 2);
  EXPECT_LT(seconds_for({{.content = " ", .lstrip = true}}, spaces), 2);
  EXPECT_LT(seconds_for({{.content = " ", .single_word = true, .lstrip = true, .rstrip = true}},
                        std::string(spaces).append("a")),
            2);
}

TEST(AddedTokensTest, BesideInvalidBytes) {
  const std::vector<AddedToken> tokens = {
      {.content = "[M]", .id = 1, .single_word = true, .lstrip = true}};
  EXPECT_THAT(parts(tokens, "\xEA\xB0[M]\xFF"), ElementsAre("\xEA\xB0", "<[M]>", "\xFF"));
  EXPECT_THAT(parts(tokens, "\x80\x80\x80\x80 [M]"), ElementsAre("\x80\x80\x80\x80", "< [M]>"));
}

}  // namespace
}  // namespace klue
