#include "evaluate/score.hpp"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

namespace evaluate {
namespace {

using testing::HasSubstr;

struct Scored {
  bool all;
  std::string out, err;
};

Scored scored(Benchmark benchmark, const std::string& lines) {
  std::istringstream in(lines);
  std::ostringstream out, err;
  const bool all = score_lines(benchmark, in, "sets.jsonl", out, err);
  return {all, out.str(), err.str()};
}

void expect_refused(Benchmark benchmark, const std::string& json, const std::string& field) {
  try {
    score(benchmark, PredictionSet(std::string_view(json), "sets.jsonl", "line 3"));
    ADD_FAILURE() << "was read: " << json;
  } catch (const klue::FormatError& error) {
    EXPECT_EQ(error.file(), "sets.jsonl");
    EXPECT_EQ(error.field(), field) << error.what();
  }
}

TEST(Score, WritesALineForEachSet) {
  const Scored result = scored(Benchmark::ynat,
                               "\xEF\xBB\xBF"
                               R"({"name": "가", "gold": [0, 1], "predictions": [0, 2]})"
                               "\r\n\n"
                               R"({"name": 7, "gold": [], "predictions": []})"
                               "\n"
                               R"({"gold": [3], "predictions": [3]})");
  EXPECT_TRUE(result.all);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out,
            "{\"name\": \"가\", \"macro_f1\": 33.333333333333329}\n"
            "{\"name\": 7, \"macro_f1\": null}\n"
            "{\"name\": null, \"macro_f1\": 100}\n");
}

TEST(Score, NamesTheScoresOfEachTask) {
  const auto out = [](Benchmark benchmark, const char* line) {
    return scored(benchmark, line).out;
  };
  EXPECT_EQ(out(Benchmark::nli, R"({"name":"n","gold":[0,1,2],"predictions":[0,1,1]})"),
            "{\"name\": \"n\", \"accuracy\": 66.666666666666657}\n");
  EXPECT_EQ(out(Benchmark::sts, R"({"name":"n","gold":[0.5,4],"predictions":[1,2.5]})"),
            "{\"name\": \"n\", \"pearson\": 100, \"f1\": 0}\n");
  EXPECT_EQ(out(Benchmark::ner, R"({"name":"n","gold":[12,0,1],"predictions":[12,0,1]})"),
            "{\"name\": \"n\", \"entity_macro_f1\": 100, \"character_macro_f1\": 100}\n");
  EXPECT_EQ(out(Benchmark::re, R"({"name":"n","gold":[0,5],"predictions":[0,5]})"),
            "{\"name\": \"n\", \"micro_f1\": 100}\n");
  EXPECT_EQ(out(Benchmark::mrc, R"({"name":"n","gold":[["서울"],[]],"predictions":["서울","!"]})"),
            "{\"name\": \"n\", \"em\": 100, \"rouge_w\": 100}\n");
}

TEST(Score, ProbabilitiesStandInsteadOfPredictionsOrBesideThem) {
  std::string row = "[0.5";
  for (int i = 1; i < 30; ++i)
    row += ",0";
  row += "]";
  EXPECT_EQ(scored(Benchmark::re, R"({"name":1,"gold":[0],"probabilities":[)" + row + "]}").out,
            "{\"name\": 1, \"auprc\": null}\n");
  EXPECT_EQ(scored(Benchmark::re,
                   R"({"name":1,"gold":[0],"predictions":[0],"probabilities":[)" + row + "]}")
                .out,
            "{\"name\": 1, \"micro_f1\": 0, \"auprc\": null}\n");
}

TEST(Score, GoesOnBehindWhatTheOriginalRefuses) {
  const Scored result =
      scored(Benchmark::sts, R"({"name":1,"gold":[4],"predictions":[4]})"
                             "\n"
                             R"({"name":2,"gold":[4,3,1],"predictions":[NaN,Infinity,"-inf"]})"
                             "\n"
                             R"({"name":3,"gold":[4,3],"predictions":[2,1]})");
  EXPECT_FALSE(result.all);
  EXPECT_THAT(result.out, HasSubstr(R"({"name": 1, "pearson": null, "f1": 100, "error": ")"));
  EXPECT_THAT(result.out, HasSubstr(R"({"name": 2, "pearson": null, "f1": 66.66)"));
  EXPECT_THAT(result.out, HasSubstr("{\"name\": 3, \"pearson\": 100, \"f1\": 0}\n"));
  EXPECT_THAT(result.err, HasSubstr("evaluate: sets.jsonl: line 1: predictions: "));
  EXPECT_THAT(
      scored(Benchmark::mrc, R"({"gold":[["가"]],"predictions":[null]})").out,
      HasSubstr(R"("em": null, "rouge_w": null, "error": "predictions[0]: no prediction")"));
}

TEST(Score, QuestionTypesDecideTheOrder) {
  EXPECT_THAT(scored(Benchmark::mrc,
                     R"({"gold":[["가"],[]],"predictions":["가",""],"question_types":[3,-1]})")
                  .out,
              HasSubstr("\"em\": 100"));
  EXPECT_FALSE(
      scored(Benchmark::mrc, R"({"gold":[["가"]],"predictions":["가"],"question_types":[4]})").all);
}

TEST(Score, RefusesWhatIsNoSet) {
  expect_refused(Benchmark::nli, "{", "line 3");
  expect_refused(Benchmark::nli, "[1]", "line 3");
  expect_refused(Benchmark::nli, "{}", "line 3: gold");
  expect_refused(Benchmark::nli, R"({"gold": 1, "predictions": []})", "line 3: gold");
  expect_refused(Benchmark::nli, R"({"gold": []})", "line 3: predictions");
  expect_refused(Benchmark::nli, R"({"gold": [0], "predictions": []})", "line 3: predictions");
  expect_refused(Benchmark::nli, R"({"gold": [0], "predictions": [3]})", "line 3: predictions[0]");
  expect_refused(Benchmark::nli, R"({"gold": [-1], "predictions": [0]})", "line 3: gold[0]");
  expect_refused(Benchmark::nli, R"({"gold": [1.0], "predictions": [0]})", "line 3: gold[0]");
  expect_refused(Benchmark::nli, R"({"gold": [18446744073709551615], "predictions": [0]})",
                 "line 3: gold[0]");
  expect_refused(Benchmark::sts, R"({"gold": ["x"], "predictions": [0]})", "line 3: gold[0]");
  expect_refused(Benchmark::re, R"({"gold": [0]})", "line 3: predictions");
  expect_refused(Benchmark::re, R"({"gold": [0], "probabilities": [[1]]})",
                 "line 3: probabilities[0]");
  expect_refused(Benchmark::mrc, R"({"gold": ["가"], "predictions": ["가"]})", "line 3: gold[0]");
  expect_refused(Benchmark::mrc, R"({"gold": [[1]], "predictions": ["가"]})", "line 3: gold[0][0]");
  expect_refused(Benchmark::mrc, R"({"gold": [[]], "predictions": [0]})", "line 3: predictions[0]");
}

TEST(Score, NumbersHave17Digits) {
  EXPECT_EQ(json_number(100.0 / 3), "33.333333333333336");
  EXPECT_EQ(json_number(100), "100");
  EXPECT_EQ(json_number(0.1), "0.10000000000000001");
  EXPECT_EQ(json_number(std::nan("")), "null");
}

}  // namespace
}  // namespace evaluate
