// Configurations that KLUE itself does not have, against what Hugging Face's Rust tokenizer did:
// huggingface/NAME.json is a tokenizer, NAME.cases.jsonl its answers, make_cases.mjs their maker.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>
#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/tokenizer.hpp>

#include "text/names.hpp"

namespace klue {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

/// Where the cases are; KLUE_HUGGINGFACE_CASES may name a folder with more of them.
fs::path cases_directory() {
  const char* other = std::getenv("KLUE_HUGGINGFACE_CASES");
  return other != nullptr ? other : KLUE_TEST_DIR "/text/huggingface";
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

struct Case {
  std::string text;
  std::optional<std::string> pair;
  EncodeOptions options;
};

Case case_of(const Json& entry) {
  Case result{.text = entry.at("text").get<std::string>(), .pair = {}, .options = {}};
  if (entry.contains("pair")) result.pair = entry.at("pair").get<std::string>();
  if (entry.contains("truncation")) {
    const Json& truncation = entry.at("truncation");
    result.options.max_length = truncation.at("max_length").get<std::size_t>();
    result.options.truncation =
        test::truncation_named(truncation.at("strategy").get<std::string>()).value();
    result.options.truncation_side =
        truncation.at("direction") == "left" ? TruncationSide::left : TruncationSide::right;
    result.options.stride = truncation.at("stride").get<std::size_t>();
    result.options.return_overflowing = true;
  }
  return result;
}

/// Offsets in code points of the text that each token comes from, as the reference counts.
Pairs code_point_offsets(const Encoding& encoding, const Case& c) {
  Pairs result;
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    const std::string& text = encoding.sequence_ids[i] == 1 ? *c.pair : c.text;
    const auto offset = to_code_points(text, {&encoding.offsets[i], 1}).front();
    result.emplace_back(offset.begin, offset.end);
  }
  return result;
}

void expect_equal(const Tokenizer& tokenizer, const Encoding& encoding, const Json& expected,
                  const Case& c) {
  if (expected.contains("tokens")) {
    EXPECT_EQ(tokenizer.texts(encoding), expected.at("tokens").get<std::vector<std::string>>());
  }
  EXPECT_EQ(encoding.ids, expected.at("ids").get<std::vector<std::int32_t>>());
  EXPECT_EQ(encoding.word_ids, expected.at("word_ids").get<std::vector<std::int32_t>>());
  EXPECT_EQ(encoding.special_tokens_mask,
            expected.at("special_tokens_mask").get<std::vector<std::int32_t>>());
  EXPECT_EQ(code_point_offsets(encoding, c), expected.at("offsets").get<Pairs>());
}

void expect_equal(const Tokenizer& tokenizer, const Json& expected) {
  const Case c = case_of(expected);
  if (expected.contains("error")) {
    EXPECT_THROW(tokenizer.encode(c.text, c.pair, c.options), UsageError);
    return;
  }
  const Encoding encoding = tokenizer.encode(c.text, c.pair, c.options);
  expect_equal(tokenizer, encoding, expected, c);
  // Not of the windows: there the reference forgets what its template says about types.
  EXPECT_EQ(encoding.type_ids, expected.at("type_ids").get<std::vector<std::int32_t>>());
  const Json& windows = expected.at("overflowing");
  ASSERT_EQ(encoding.overflowing.size(), windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i)
    expect_equal(tokenizer, encoding.overflowing[i], windows[i], c);

  EXPECT_EQ(tokenizer.decode(encoding.ids, {.skip_special_tokens = false}),
            expected.at("decoded").get<std::string>());
  EXPECT_EQ(tokenizer.decode(encoding.ids, {.skip_special_tokens = true}),
            expected.at("decoded_without_special").get<std::string>());
}

class HuggingFaceTest : public ::testing::TestWithParam<std::string> {};

TEST_P(HuggingFaceTest, GivesTheSameAnswers) {
  const std::string file = GetParam() + ".json";
  const Tokenizer tokenizer(detail::parse_tokenizer_json(read(cases_directory() / file), file));
  std::ifstream cases(cases_directory() / (GetParam() + ".cases.jsonl"));
  int count = 0;
  for (std::string line; std::getline(cases, line); ++count) {
    SCOPED_TRACE("case " + std::to_string(count + 1) + ": " + line.substr(0, 400));
    expect_equal(tokenizer, Json::parse(line));
  }
  EXPECT_GE(count, 50);
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const auto& entry : fs::directory_iterator(cases_directory()))
    if (entry.path().extension() == ".json") result.push_back(entry.path().stem().string());
  std::sort(result.begin(), result.end());
  return result;
}

INSTANTIATE_TEST_SUITE_P(Configurations, HuggingFaceTest, ::testing::ValuesIn(names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace klue
