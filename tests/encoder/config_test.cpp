#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>
#include <klue/encoder/config.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/scratch_directory.hpp"

namespace klue {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// klue/roberta-base's own values.
json base_config() {
  return {{"model_type", "roberta"}, {"vocab_size", 32000},       {"hidden_size", 768},
          {"num_hidden_layers", 12}, {"num_attention_heads", 12}, {"intermediate_size", 3072},
          {"hidden_act", "gelu"},    {"layer_norm_eps", 1e-05},   {"max_position_embeddings", 514},
          {"type_vocab_size", 1},    {"pad_token_id", 1},         {"some_future_key", {1, 2}}};
}

class ConfigTest : public testing::Test {
 protected:
  EncoderConfig read(const std::string& text) {
    std::ofstream(file_, std::ios::binary) << text;
    return read_encoder_config(file_);
  }
  EncoderConfig read(const json& config) { return read(config.dump()); }

  template <class Expected = FormatError>
  void expect_refused(const char* key, const json& value) {
    json config = base_config();
    config[key] = value;
    try {
      read(config);
      FAIL() << key << " = " << value << " was accepted";
    } catch (const Expected& error) {
      EXPECT_EQ(error.field(), key);
      EXPECT_EQ(error.file(), file_.string());
      EXPECT_FALSE(error.expected().empty());
    }
  }

  test::ScratchDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "config.json";
};

TEST_F(ConfigTest, ReadsKlueRobertaBase) {
  const EncoderConfig config = read(base_config());
  EXPECT_EQ(config.hidden_size, 768u);
  EXPECT_EQ(config.head_size(), 64u);
  EXPECT_EQ(config.max_sequence_length(), 512u);
  EXPECT_EQ(config.positions, PositionScheme::after_padding);
  EXPECT_FLOAT_EQ(config.layer_norm_eps, 1e-5f);
}

TEST_F(ConfigTest, ReadsBert) {
  json config = base_config();
  config["model_type"] = "bert";
  config["type_vocab_size"] = 2;
  config["max_position_embeddings"] = 512;
  config.erase("pad_token_id");
  EXPECT_EQ(read(config).pad_token_id, 0u);
  EXPECT_EQ(read(config).max_sequence_length(), 512u);
}

// beomi/kcbert-base leaves these out; the original's defaults are meant.
TEST_F(ConfigTest, ReadsBertThatLeavesOutItsDefaults) {
  json config = base_config();
  config["model_type"] = "bert";
  for (const char* key : {"type_vocab_size", "layer_norm_eps", "hidden_act", "pad_token_id"})
    config.erase(key);
  const EncoderConfig read_config = read(config);
  EXPECT_EQ(read_config.type_vocab_size, 2u);
  EXPECT_FLOAT_EQ(read_config.layer_norm_eps, 1e-12f);
  EXPECT_EQ(read_config.hidden_act, Activation::gelu);
  EXPECT_EQ(read_config.pad_token_id, 0u);
  EXPECT_EQ(read_config.embedding_width(), 768u);
}

TEST_F(ConfigTest, ReadsElectra) {
  json config = base_config();
  config["model_type"] = "electra";
  config["embedding_size"] = 128;
  config["hidden_size"] = 256;
  config["num_attention_heads"] = 4;
  config.erase("pad_token_id");
  const EncoderConfig electra = read(config);
  EXPECT_EQ(electra.positions, PositionScheme::index);
  EXPECT_EQ(electra.pad_token_id, 0u);
  EXPECT_TRUE(electra.projects_embeddings());
  EXPECT_EQ(electra.embedding_width(), 128u);
  config.erase("embedding_size");
  EXPECT_EQ(read(config).embedding_width(), 128u);  // ElectraConfig's default
  config["embedding_size"] = 256;
  EXPECT_FALSE(read(config).projects_embeddings());
  config["embedding_size"] = 0;
  EXPECT_THROW(read(config), FormatError);
}

TEST_F(ConfigTest, TakesTheNameThatTransformersHadForTheSameGelu) {
  json config = base_config();
  config["hidden_act"] = "gelu_python";
  EXPECT_EQ(read(config).hidden_act, Activation::gelu);
}

TEST_F(ConfigTest, RefusesNumbersThatCannotBe) {
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "max_position_embeddings", "type_vocab_size"})
    for (const json& value :
         {json(0), json(-1), json(1e300), json(2.5), json(12.0), json("12"), json(nullptr),
          json(true), json(18446744073709551615u), json::array(), json(1u << 30)})
      expect_refused(key, value);
  expect_refused("num_attention_heads", 7);  // does not divide 768
  expect_refused("pad_token_id", 32000);     // not in the vocabulary
  expect_refused("pad_token_id", -1);
  expect_refused("max_position_embeddings", 2);  // no position after padding's
  expect_refused("layer_norm_eps", 0);
  expect_refused("layer_norm_eps", -1e-5);
  expect_refused("layer_norm_eps", "1e-5");
  expect_refused("hidden_act", 3);
  expect_refused("model_type", json::object());
}

TEST_F(ConfigTest, RefusesByNameWhatItDoesNotRun) {
  expect_refused<UnsupportedError>("hidden_act", "gelu_new");
  expect_refused<UnsupportedError>("hidden_act", "gelu_fast");
  expect_refused<UnsupportedError>("hidden_act", "quick_gelu");
  expect_refused<UnsupportedError>("model_type", "albert");
  expect_refused<UnsupportedError>("position_embedding_type", "relative_key");
}

TEST_F(ConfigTest, RefusesAMissingKey) {
  for (const char* key : {"model_type", "vocab_size", "hidden_size", "num_hidden_layers",
                          "num_attention_heads", "intermediate_size", "max_position_embeddings",
                          "type_vocab_size", "layer_norm_eps", "hidden_act"}) {
    json config = base_config();
    config.erase(key);
    try {
      read(config);
      FAIL() << key;
    } catch (const FormatError& error) {
      EXPECT_EQ(error.field(), key);
      EXPECT_THAT(error.what(), HasSubstr("missing"));
    }
  }
}

TEST_F(ConfigTest, RefusesAnEpsilonThatIsNoNumber) {
  const std::string config = base_config().dump();
  for (const char* value : {"NaN", "Infinity", "-Infinity", "1e999", "1e-999", "1.0", "null"})
    EXPECT_THROW(read(config.substr(0, config.size() - 1) + ",\"layer_norm_eps\":" + value + "}"),
                 FormatError)
        << value;
}

TEST_F(ConfigTest, RefusesEveryTruncation) {
  test::expect_every_truncation_refused(base_config().dump(), [&](const auto& bytes) {
    parse_encoder_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file_);
  });
}

TEST_F(ConfigTest, SurvivesByteFlips) {
  test::expect_byte_flips_survived(base_config().dump(), 100'000, [&](const auto& bytes) {
    parse_encoder_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file_);
  });
}

// Deep enough to overflow a stack that grew with it.
TEST_F(ConfigTest, SurvivesDeepNesting) {
  constexpr std::size_t kDepth = 1'000'000;
  const std::string deep = std::string(kDepth, '[') + std::string(kDepth, ']');
  EXPECT_THROW(read(deep), FormatError);
  const std::string config = base_config().dump();
  for (const char* key : {"vocab_size", "model_type", "layer_norm_eps"})
    EXPECT_THROW(read(config.substr(0, config.size() - 1) + ",\"" + key + "\":" + deep + "}"),
                 FormatError)
        << key;
}

TEST_F(ConfigTest, RefusesWhatIsNotAJsonObject) {
  for (const char* text : {"", "[]", "null", "{", "{\"vocab_size\": NaN}", "\xff\xfe{}", "{}{}"})
    EXPECT_THROW(read(std::string(text)), FormatError) << text;
  EXPECT_THROW(read(std::string(100000, '[')), FormatError);
  EXPECT_THROW(read_encoder_config(directory_.path() / "absent.json"), IoError);
}

}  // namespace
}  // namespace klue
