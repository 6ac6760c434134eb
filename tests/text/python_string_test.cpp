// Against what CPython 3.11 gives for the same strings.

#include <string>

#include <gtest/gtest.h>

#include <klue/text/detail/python_string.hpp>

namespace klue {
using namespace detail;
namespace {

TEST(PythonStrip, TakesWhitespaceOffBothEnds) {
  EXPECT_EQ(python_strip("  첫 번째 \t\n"), "첫 번째");
  EXPECT_EQ(python_strip("문장"), "문장");
  EXPECT_EQ(python_strip(""), "");
  EXPECT_EQ(python_strip(" \r\n\v\f "), "");
}

TEST(PythonStrip, KnowsTheWhitespaceOfUnicode) {
  for (const char* space : {"\u001C", "\u001F", "\u0085", "\u00A0", "\u1680", "\u2000", "\u200A",
                            "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"})
    EXPECT_EQ(python_strip(std::string(space).append("가 나").append(space)), "가 나");
  for (const char* other : {"\u200B", "\uFEFF", "\u180E", "\u2060", "\u001B"}) {
    const std::string text = std::string(other).append("가").append(other);
    EXPECT_EQ(python_strip(text), text);
  }
}

TEST(PythonStrip, LeavesInvalidUtf8Alone) {
  for (const char* text :
       {"\x80\x80", "가\xEC", "\xC2", "\xA0", "가\xE3\x80", "\xF0\x80\x80\x80\x80"})
    EXPECT_EQ(python_strip(text), text);
  EXPECT_EQ(python_strip(" \x80 "), "\x80");
}

TEST(PythonLower, IsTheFullMappingOfUnicode) {
  EXPECT_EQ(python_lower("KLUE RoBERTa ÀÉÎ ДОМ ǅ"), "klue roberta àéî дом ǆ");
  EXPECT_EQ(python_lower("İstanbul I"), "i\u0307stanbul i");
  EXPECT_EQ(python_lower("ΣΑΣ ΟΔΟΣ Σ Σ."), "σας οδος σ σ.");
  EXPECT_EQ(python_lower("ＡＢＣ Ⅳ ẞ \U00010400"), "ａｂｃ ⅳ ß \U00010428");
}

TEST(PythonLower, LeavesHangulComposedAndDecomposed) {
  for (const char* text : {"첫 번째 문장", "\u1112\u1161\u11AB", "ㄱㅏ", "豈", ""})
    EXPECT_EQ(python_lower(text), text);
}

TEST(PythonLower, ReadsInvalidUtf8AsTheReplacementCharacter) {
  EXPECT_EQ(python_lower("A\xFF가\xEC"), "a\uFFFD가\uFFFD");
}

}  // namespace
}  // namespace klue
