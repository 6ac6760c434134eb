#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <klue/core/error.hpp>

namespace klue {
namespace {

TEST(Error, SaysWhereAndWhatOnOneLine) {
  const FormatError error("wrong shape", {.file = "model.safetensors",
                                          .field = "pooler.dense.weight",
                                          .expected = "[768, 768]",
                                          .actual = "[768]"});
  EXPECT_STREQ(
      error.what(),
      "model.safetensors: pooler.dense.weight: wrong shape (expected [768, 768], found [768])");
  EXPECT_EQ(error.file(), "model.safetensors");
  EXPECT_EQ(error.field(), "pooler.dense.weight");
  EXPECT_EQ(error.expected(), "[768, 768]");
  EXPECT_EQ(error.actual(), "[768]");
}

TEST(Error, LeavesOutWhatIsNotKnown) {
  EXPECT_STREQ(UsageError("no texts").what(), "no texts");
  EXPECT_STREQ(IoError("cannot open", {.file = "a", .actual = "No such file"}).what(),
               "a: cannot open (found No such file)");
}

TEST(Error, StaysOnOneLineWhateverAFileHolds) {
  const FormatError error(
      "wrong", {.file = "a\tb", .field = "c\nd", .expected = "é\x7f", .actual = "한\x1b[2J"});
  EXPECT_STREQ(error.what(), "a\\u0009b: c\\nd: wrong (expected é\\u007f, found 한\\u001b[2J)");
  EXPECT_EQ(error.field(), "c\nd");
  EXPECT_EQ(error.actual(), "한\x1b[2J");
  EXPECT_STREQ(UsageError("\xC2\x9B|\xE2\x80\xA8").what(), "\\u009b|\\u2028");
  EXPECT_STREQ(UsageError(std::string_view("a\0b", 3)).what(), "a\\u0000b");
}

TEST(Error, IsValidUtf8) {
  EXPECT_STREQ(UsageError("a\xff\x80z").what(), "a\\xff\\x80z");
  EXPECT_STREQ(UsageError("\xED\xA0\x80|\xC0\xAF|\xEB\xAA").what(),
               "\\xed\\xa0\\x80|\\xc0\\xaf|\\xeb\\xaa");
}

TEST(Error, CutsWhatIsTooLongForAMessage) {
  const std::string name(5000, 'x');
  const FormatError error("wrong", {.field = name});
  EXPECT_EQ(error.field(), name);
  EXPECT_LT(std::string_view(error.what()).size(), 4200u);
  EXPECT_TRUE(std::string_view(error.what()).ends_with("x...: wrong"));
}

TEST(Error, IsCaughtAsError) {
  EXPECT_THROW(throw UsageError(""), Error);
  EXPECT_THROW(throw FormatError(""), Error);
  EXPECT_THROW(throw UnsupportedError(""), Error);
  EXPECT_THROW(throw IoError(""), Error);
}

}  // namespace
}  // namespace klue
