#include <gtest/gtest.h>

#include <klue/hub/detail/server_text.hpp>

namespace klue::hub::detail {
namespace {

TEST(HubServerText, StaysAsItIs) {
  EXPECT_EQ(shown_text(""), "");
  EXPECT_EQ(shown_text("Repository Not Found"), "Repository Not Found");
  EXPECT_EQ(shown_text("모델이 없습니다 😀"), "모델이 없습니다 😀");
}

TEST(HubServerText, IsCutBetweenCharacters) {
  EXPECT_EQ(shown_text(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(shown_text(std::string(201, 'x')), std::string(200, 'x') + "...");
  EXPECT_EQ(shown_text(std::string(199, 'x') + "é"), std::string(199, 'x') + "...");
}

TEST(HubServerText, NeverShowsTheSecret) {
  EXPECT_EQ(shown_text("no hf_a for hf_a", "hf_a"), "no *** for ***");
  const std::string text = std::string(198, 'x') + "hf_secret";
  EXPECT_EQ(shown_text(text, "hf_secret").find("hf"), std::string::npos);
}

TEST(HubServerText, AnAddressHasNoQuery) {
  EXPECT_EQ(shown_url("https://storage/blob?X-Amz-Signature=abc#d"), "https://storage/blob");
  EXPECT_EQ(shown_url("https://h/hf_a/b", "hf_a"), "https://h/***/b");
}

}  // namespace
}  // namespace klue::hub::detail
