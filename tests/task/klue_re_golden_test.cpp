// Sentences with marked entities as KLUE-baseline makes them.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/task/klue_re.hpp>

#include "shared_data.hpp"
#include "task/klue_goldens.hpp"

namespace klue::baseline {
namespace {

using Ids = std::vector<std::int32_t>;

ReEntity entity_of(const nlohmann::json& entity) {
  const auto number = [&entity](const char* key) {
    const auto& value = entity.at(key);
    return value.is_string() ? std::stoll(value.get<std::string>()) : value.get<long long>();
  };
  return {number("start_idx"), number("end_idx")};
}

ReInput input_of(const Tokenizer& tokenizer, const nlohmann::json& example, std::size_t length) {
  return re_input(tokenizer, example.at("sentence").get<std::string>(),
                  entity_of(example.at("subject_entity")), entity_of(example.at("object_entity")),
                  length);
}

TEST(KlueReGolden, Inputs) {
  KLUE_SHARED_DATA_OR_SKIP(directory, "data/klue");
  KLUE_SHARED_DATA_OR_SKIP(examples_file, "goldens/metrics/re_inputs.json");
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/re_inputs_expected.jsonl");
  const Tokenizer tokenizer = re_tokenizer(Tokenizer::load(directory));
  EXPECT_EQ(tokenizer.tokenize("<subj></subj><obj></obj>").ids, (Ids{32000, 32001, 32002, 32003}));
  const auto examples = test::json_of(examples_file);
  const auto expected = test::json_lines(file);
  ASSERT_EQ(examples.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(expected[i].at("guid"));
    ASSERT_EQ(examples[i].at("guid"), expected[i].at("guid"));
    const ReInput input = input_of(tokenizer, examples[i], 256);
    EXPECT_EQ(input.marked_text, expected[i].at("marked_text"));
    EXPECT_EQ(input.tokens, expected[i].at("fixed_tokens").get<std::vector<std::string>>());
    EXPECT_EQ(input.ids, expected[i].at("input_ids_256").get<Ids>());
    EXPECT_EQ(input_of(tokenizer, examples[i], 24).ids, expected[i].at("input_ids_24").get<Ids>());
    EXPECT_EQ(re_label_names()[expected[i].at("label")],
              examples[i].at("label").get<std::string>());
  }
}

TEST(KlueReGolden, RefusedInputs) {
  KLUE_SHARED_DATA_OR_SKIP(directory, "data/klue");
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/re_inputs_refused.json");
  const Tokenizer tokenizer = re_tokenizer(Tokenizer::load(directory));
  for (const auto& line : test::json_of(file)) {
    SCOPED_TRACE(line.at("name"));
    if (line.at("example").is_null() || line.at("name") == "unknown_label") continue;
    if (line.at("original") == "accepted") {
      const ReInput input = input_of(tokenizer, line.at("example"), 256);
      EXPECT_EQ(input.marked_text, line.at("marked_text"));
      EXPECT_EQ(input.ids, line.at("input_ids_256").get<Ids>());
    } else {
      EXPECT_THROW(input_of(tokenizer, line.at("example"), 256), UsageError);
    }
  }
}

}  // namespace
}  // namespace klue::baseline
