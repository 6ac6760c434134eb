// What the files of a sentence-transformers directory ask for becomes the model's default, or is
// refused by name.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue {
namespace {

using nlohmann::json;
using test::ModelDirectory;
using test::thrown;
using testing::EndsWith;
using testing::HasSubstr;

const std::vector<std::string> kSentences{"이 다는 사람", "전"};

json module(const char* type, const char* path) {
  return {{"idx", 0}, {"name", "0"}, {"path", path}, {"type", type}};
}

const json kTransformer = module("sentence_transformers.models.Transformer", "");
const json kPooling = module("sentence_transformers.models.Pooling", "1_Pooling");
const json kNormalize = module("sentence_transformers.models.Normalize", "2_Normalize");

void write_modules(const ModelDirectory& directory, const std::vector<json>& modules) {
  directory.write("modules.json", json(modules).dump());
}

// 1_Pooling/config.json as the library writes it, with these modes switched on.
void write_pooling(const ModelDirectory& directory, const std::vector<std::string>& modes) {
  json config{{"word_embedding_dimension", 32}};
  for (const char* mode : {"cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"})
    config["pooling_mode_" + std::string(mode)] = false;
  for (const std::string& mode : modes)
    config["pooling_mode_" + mode] = true;
  directory.write("1_Pooling/config.json", config.dump());
}

std::vector<float> embed(const Model& model, const EmbedOptions& options = {}) {
  const Tensor vectors = model.embed(kSentences, options);
  return {vectors.values().begin(), vectors.values().end()};
}

TEST(SentenceTransformers, PoolingIsTheDirectorys) {
  const struct {
    const char* mode;
    Pooling pooling;
  } cases[]{
      {"cls_token", Pooling::cls}, {"mean_tokens", Pooling::mean}, {"max_tokens", Pooling::max}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.mode);
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling});
    write_pooling(directory, {c.mode});
    const Model model = Model::load(directory.path());
    EXPECT_EQ(model.info().pooling, c.pooling);
    EXPECT_FALSE(model.info().normalize);
    EXPECT_EQ(embed(model), embed(model, {.pooling = c.pooling}));
    EXPECT_NE(embed(model), embed(model, {.pooling = Pooling::pooler}));  // the caller decides
  }
}

TEST(SentenceTransformers, NormalizeIsTheDirectorysUnlessTheCallerSays) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling, kNormalize});
  write_pooling(directory, {"cls_token"});
  const Model model = Model::load(directory.path());
  EXPECT_TRUE(model.info().normalize);
  EXPECT_EQ(embed(model), embed(model, {.pooling = Pooling::cls, .normalize = true}));
  EXPECT_NE(embed(model), embed(model, {.normalize = false}));
}

TEST(SentenceTransformers, MaxSeqLengthIsTheDefaultOfEmbed) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  write_pooling(directory, {"mean_tokens"});
  directory.write("sentence_bert_config.json", R"({"max_seq_length": 4, "do_lower_case": false})");
  const Model model = Model::load(directory.path());
  EXPECT_EQ(model.info().max_length, 4u);
  EXPECT_EQ(embed(model), embed(model, {.max_length = 4}));
  EXPECT_NE(embed(model), embed(model, {.max_length = 512}));
}

TEST(SentenceTransformers, AnUnsetMaxSeqLengthIsTheModels) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  write_pooling(directory, {"mean_tokens"});
  directory.write("sentence_bert_config.json", R"({"max_seq_length": null})");
  EXPECT_EQ(Model::load(directory.path()).info().max_length, 512u);
}

TEST(SentenceTransformers, UnknownModulesAreRefusedByName) {
  const ModelDirectory directory;
  write_pooling(directory, {"mean_tokens"});
  write_modules(directory,
                {kTransformer, kPooling, module("sentence_transformers.models.Dense", "2_Dense")});
  const auto error = thrown<UnsupportedError>([&] { Model::load(directory.path()); });
  EXPECT_THAT(error.file(), EndsWith("modules.json"));
  EXPECT_EQ(error.field(), "2_Dense");
  EXPECT_EQ(error.actual(), "sentence_transformers.models.Dense");
}

TEST(SentenceTransformers, PoolingsThatAreNotRunAreRefusedByName) {
  for (const std::vector<std::string>& modes :
       {std::vector<std::string>{"mean_sqrt_len_tokens"}, {"cls_token", "mean_tokens"}}) {
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling});
    write_pooling(directory, modes);
    const auto error = thrown<UnsupportedError>([&] { Model::load(directory.path()); });
    EXPECT_THAT(error.file(), EndsWith("1_Pooling/config.json"));
    EXPECT_EQ(error.field(), "pooling_mode_" + modes.back());
  }
}

TEST(SentenceTransformers, DamageIsFound) {
  const auto refused = [](const char* file, const char* content) {
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling});
    write_pooling(directory, {"mean_tokens"});
    directory.write(file, content);
    const auto error = thrown<FormatError>([&] { Model::load(directory.path()); });
    EXPECT_THAT(error.file(), EndsWith(file)) << content;
    return error;
  };
  refused("modules.json", "{}");
  refused("modules.json", "[");
  EXPECT_EQ(refused("modules.json", "[{}]").field(), "type");
  EXPECT_EQ(refused("modules.json", "[3]").field(), "type");
  EXPECT_EQ(
      refused("modules.json", R"([{"type": "sentence_transformers.models.Normalize"}])").field(),
      "path");
  EXPECT_EQ(refused("1_Pooling/config.json", R"({"pooling_mode_cls_token": "yes"})").field(),
            "pooling_mode_cls_token");
  EXPECT_THAT(refused("1_Pooling/config.json", "{}").what(),
              HasSubstr("no pooling mode is chosen"));
  EXPECT_EQ(refused("sentence_bert_config.json", R"({"max_seq_length": 0})").field(),
            "max_seq_length");
}

TEST(SentenceTransformers, AMissingPoolingConfigurationIsAnIoError) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  const auto error = thrown<IoError>([&] { Model::load(directory.path()); });
  EXPECT_THAT(error.file(), EndsWith("1_Pooling/config.json"));
}

TEST(SentenceTransformers, LowerCasingIsRefused) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  write_pooling(directory, {"mean_tokens"});
  directory.write("sentence_bert_config.json", R"({"do_lower_case": true})");
  EXPECT_EQ(thrown<UnsupportedError>([&] { Model::load(directory.path()); }).field(),
            "do_lower_case");
}

}  // namespace
}  // namespace klue
