// How well the bundled demo model agrees with people.

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "shared_data.hpp"

namespace klue::test {
namespace {

// What models/demo/README.md promises, with room for another processor's rounding.
TEST(DemoModel, AgreesWithPeople) {
  KLUE_SHARED_DATA_OR_SKIP(corpora, "data/corpora");
  const std::map<std::string, double> floors{{"kor-sts-dev.tsv", 0.765},
                                             {"klue-sts-v1.1_dev.json", 0.48}};
  for (const auto& [file, floor] : floors) {
    const Result result =
        run(KLUE_EVALUATE, {"--quiet", "--format", "tsv", (corpora / file).string()});
    ASSERT_EQ(result.status, 0) << result.err;
    std::map<std::string, double> spearman;  // by what was measured
    const std::vector<std::string> lines = lines_of(result.out);
    for (const std::string& line : std::vector(lines.begin() + 1, lines.end())) {
      const std::size_t what = line.find('\t', line.find('\t') + 1) + 1;
      const std::size_t number = line.find('\t', what) + 1;
      spearman[line.substr(what, number - 1 - what)] = std::atof(line.c_str() + number);
    }
    EXPECT_GE(spearman["f32"], floor) << file;
    EXPECT_GT(spearman["f32"], spearman["ngrams"] + 0.01) << file;
    for (const auto& [what, value] : spearman)
      EXPECT_TRUE(what == "ngrams" || std::abs(value - spearman["f32"]) < 0.01)
          << file << ", " << what << ": " << value;
  }
}

}  // namespace
}  // namespace klue::test
