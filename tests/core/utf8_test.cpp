#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/offset.hpp>

namespace klue {
namespace {

using namespace std::string_view_literals;
using CodePoints = std::vector<std::pair<char32_t, std::size_t>>;

CodePoints decode_all(std::string_view text) {
  CodePoints pieces;
  while (!text.empty()) {
    const auto c = decode_utf8(text);
    pieces.emplace_back(c.value, c.length);
    text.remove_prefix(c.length);
  }
  return pieces;
}

TEST(Utf8Test, EveryScalarValueThereAndBack) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, c);
    const auto decoded = decode_utf8(text);
    ASSERT_TRUE(decoded.valid);
    ASSERT_EQ(decoded.value, c);
    ASSERT_EQ(decoded.length, text.size());
    // Cut short, all that is there is one ill-formed subsequence.
    for (std::size_t length = 1; length < text.size(); ++length) {
      const auto cut = decode_utf8(std::string_view(text).substr(0, length));
      ASSERT_FALSE(cut.valid);
      ASSERT_EQ(cut.length, length);
    }
  }
}

TEST(Utf8Test, IllFormedTextIsReplacedByMaximalSubparts) {
  constexpr char32_t bad = kReplacementCharacter;
  EXPECT_EQ(decode_all("\x80"sv), (CodePoints{{bad, 1}}));                // lone continuation
  EXPECT_EQ(decode_all("\xC0\xAF"sv), (CodePoints{{bad, 1}, {bad, 1}}));  // overlong
  EXPECT_EQ(decode_all("\xE0\x80\xAF"sv), (CodePoints{{bad, 1}, {bad, 1}, {bad, 1}}));
  EXPECT_EQ(decode_all("\xED\xA0\x80"sv), (CodePoints{{bad, 1}, {bad, 1}, {bad, 1}}));  // surrogate
  EXPECT_EQ(decode_all("\xF4\x90\x80\x80"sv), (CodePoints{{bad, 1}, {bad, 1}, {bad, 1}, {bad, 1}}));
  EXPECT_EQ(decode_all("\xF5\xFF"sv), (CodePoints{{bad, 1}, {bad, 1}}));
  EXPECT_EQ(decode_all("\xEA\xB0 \xF0\x9F\x98"sv), (CodePoints{{bad, 2}, {U' ', 1}, {bad, 3}}));
  // The example of the Unicode standard, table 3-11.
  EXPECT_EQ(decode_all("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"sv),
            (CodePoints{{bad, 2}, {bad, 1}, {bad, 3}, {bad, 2}, {U'A', 1}}));
}

TEST(OffsetTest, BytesToCodePointsAndUtf16) {
  const std::string text = "a가😀\xFF나";  // 1 + 3 + 4 + 1 + 3 bytes
  const std::vector<Offset> offsets = {{8, 12}, {0, 1}, {1, 4}, {4, 8}, {8, 9}, {12, 12}};
  EXPECT_THAT(to_code_points(text, offsets),
              ::testing::ElementsAre(Offset{3, 5}, Offset{0, 1}, Offset{1, 2}, Offset{2, 3},
                                     Offset{3, 4}, Offset{5, 5}));
  EXPECT_THAT(to_utf16(text, offsets),
              ::testing::ElementsAre(Offset{4, 6}, Offset{0, 1}, Offset{1, 2}, Offset{2, 4},
                                     Offset{4, 5}, Offset{6, 6}));
  EXPECT_THROW(to_utf16(text, std::vector<Offset>{{0, 13}}), UsageError);
}

}  // namespace
}  // namespace klue
