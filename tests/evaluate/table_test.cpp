#include "evaluate/table.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace evaluate {
namespace {

const std::vector<Row> kRows{
    {.file = "가.tsv", .pairs = 12, .what = "f32", .spearman = 0.12345678, .pearson = -1},
    {.file = "long.json",
     .pairs = 3,
     .what = "ngrams",
     .spearman = 0.5,
     .pearson = -std::numeric_limits<double>::quiet_NaN()}};

TEST(Table, LinesUpForPeople) {
  EXPECT_EQ(table(kRows, Format::text),
            "file       pairs  what    spearman  pearson\n"
            "가.tsv        12  f32       0.1235  -1.0000\n"
            "long.json      3  ngrams    0.5000      nan\n");
}

TEST(Table, HasEveryDigitForPrograms) {
  EXPECT_EQ(table(kRows, Format::tsv),
            "file\tpairs\twhat\tspearman\tpearson\n"
            "가.tsv\t12\tf32\t0.12345678\t-1\n"
            "long.json\t3\tngrams\t0.5\tnan\n");
}

}  // namespace
}  // namespace evaluate
