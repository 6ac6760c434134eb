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

TEST(Error, IsCaughtAsError) {
  EXPECT_THROW(throw UsageError(""), Error);
  EXPECT_THROW(throw FormatError(""), Error);
  EXPECT_THROW(throw UnsupportedError(""), Error);
  EXPECT_THROW(throw IoError(""), Error);
}

}  // namespace
}  // namespace klue
