// The two dialects against their originals, line by line, where the shared data is there.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>
#include <klue/text/preprocessor.hpp>

#include "shared_data.hpp"
#include "text/names.hpp"

namespace klue {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAreArray;

/// Calls `check` with every line of a JSON Lines file; returns how many there were.
template <class Check>
int for_each_line(const std::filesystem::path& path, Check check) {
  std::ifstream file(path);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const Json expected = Json::parse(line);
    SCOPED_TRACE("line " + std::to_string(lines + 1) + ": " + line.substr(0, 300));
    check(expected);
    if (::testing::Test::HasFailure()) break;
  }
  return lines;
}

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

Pairs pairs(const std::vector<Offset>& offsets) {
  Pairs result;
  for (const Offset& offset : offsets)
    result.emplace_back(offset.begin, offset.end);
  return result;
}

/// An encoding's offsets in code points of the text that each token comes from.
Pairs code_point_offsets(const Encoding& encoding, const std::string& text,
                         const std::string& text_pair) {
  Pairs result;
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    const std::string& of = encoding.sequence_ids[i] == 1 ? text_pair : text;
    result.push_back(pairs(to_code_points(of, {&encoding.offsets[i], 1})).front());
  }
  return result;
}

TEST(GoldenTest, HuggingFaceTokenization) {
  KLUE_SHARED_DATA_OR_SKIP(goldens, "goldens/tokenization.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(model, "data/klue");
  const Preprocessor preprocessor = Preprocessor::load(model);

  const int lines = for_each_line(goldens, [&](const Json& expected) {
    const auto text = expected.at("text").get<std::string>();
    const auto text_pair = expected.value("text_pair", std::string());
    const bool has_pair = expected.contains("text_pair");
    EncodeOptions options;
    if (expected.contains("max_length")) {
      options.max_length = expected.at("max_length").get<std::size_t>();
      options.truncation =
          test::truncation_named(expected.at("strategy").get<std::string>()).value();
    }
    const auto encode = [&] {
      return preprocessor.encode(
          text, has_pair ? std::optional<std::string_view>(text_pair) : std::nullopt, options);
    };
    if (expected.contains("fast_error")) {
      EXPECT_THROW(encode(), UsageError);
      return;
    }
    const Encoding encoding = encode();
    EXPECT_THAT(encoding.ids, ElementsAreArray(expected.at("ids").get<std::vector<int>>()));
    EXPECT_EQ(code_point_offsets(encoding, text, text_pair), expected.at("offsets").get<Pairs>());
    std::vector<std::string> tokens;
    for (const auto id : encoding.ids)
      tokens.push_back(preprocessor.tokenizer().token(id));
    EXPECT_THAT(tokens, ElementsAreArray(expected.at("tokens").get<std::vector<std::string>>()));
  });
  EXPECT_EQ(lines, test::is_sample(goldens) ? 217 : 2169);
}

TEST(GoldenTest, TensorflowPreprocessing) {
  KLUE_SHARED_DATA_OR_SKIP(goldens, "goldens/tensorflow.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(model, "data/klue");
  const Preprocessor preprocessor = Preprocessor::load(model, {.dialect = Dialect::tensorflow});

  const int lines = for_each_line(goldens, [&](const Json& expected) {
    const auto text = expected.at("text").get<std::string>();
    const auto tokens = preprocessor.tokenize({text});
    if (expected.contains("tokenize")) {
      EXPECT_THAT(tokens[0].ids, ElementsAreArray(expected.at("tokenize").get<std::vector<int>>()));
      return;
    }
    const auto more = preprocessor.tokenize({expected.at("text_pair").get<std::string>()});
    const auto truncation =
        test::truncation_named(expected.at("truncator").get<std::string>()).value();
    const EncoderInputs packed = preprocessor.bert_pack_inputs(
        {tokens, more}, expected.at("seq_length").get<std::size_t>(), truncation);
    EXPECT_THAT(packed.input_word_ids,
                ElementsAreArray(expected.at("input_word_ids").get<std::vector<int>>()));
    EXPECT_THAT(packed.input_mask,
                ElementsAreArray(expected.at("input_mask").get<std::vector<int>>()));
    EXPECT_THAT(packed.input_type_ids, ::testing::Each(0));
  });
  EXPECT_EQ(lines, test::is_sample(goldens) ? 256 : 2047);
}

}  // namespace
}  // namespace klue
