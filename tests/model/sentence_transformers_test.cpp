// What the files of a sentence-transformers directory ask for becomes the model's default, or is
// refused by name.

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "checkpoint/mutation.hpp"
#include "model/model_directory.hpp"
#include "near.hpp"

namespace klue {
namespace {

using nlohmann::json;
using test::as_double;
using test::expect_near;
using test::ModelDirectory;
using test::thrown;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

const std::vector<std::string> kEmbedded{"이 다는 사람", "전"};

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

constexpr const char* kTanh = "torch.nn.modules.activation.Tanh";
constexpr const char* kIdentity = "torch.nn.modules.linear.Identity";

// A Dense layer with weights that are easy to compute by hand.
struct DenseLayer {
  std::size_t in, out;
  const char* activation = kIdentity;
  bool bias = true;

  float weight(std::size_t row, std::size_t column) const {
    return static_cast<float>((row * 7 + column * 3) % 11) / 16.0f - 0.25f;
  }
  float bias_of(std::size_t row) const { return bias ? static_cast<float>(row) / 8.0f : 0.0f; }
};

const json kDense = module("sentence_transformers.models.Dense", "2_Dense");

void write_dense(const ModelDirectory& directory, const DenseLayer& layer,
                 const std::string& folder = "2_Dense") {
  std::vector<float> weight, bias;
  for (std::size_t row = 0; row < layer.out; ++row) {
    bias.push_back(layer.bias_of(row));
    for (std::size_t column = 0; column < layer.in; ++column)
      weight.push_back(layer.weight(row, column));
  }
  std::vector<test::FloatTensor> tensors{{"linear.weight", {layer.out, layer.in}, weight}};
  if (layer.bias) tensors.push_back({"linear.bias", {layer.out}, bias});
  directory.write(folder + "/model.safetensors", test::safetensors_of(tensors));
  directory.write(folder + "/config.json", json{{"in_features", layer.in},
                                                {"out_features", layer.out},
                                                {"bias", layer.bias},
                                                {"activation_function", layer.activation}}
                                               .dump());
}

// What the layer makes of a vector, by the definition and in float64.
std::vector<double> apply(const DenseLayer& layer, const std::vector<double>& x,
                          const std::function<double(double)>& activation) {
  std::vector<double> y;
  for (std::size_t row = 0; row < layer.out; ++row) {
    double sum = static_cast<double>(layer.bias_of(row));
    for (std::size_t column = 0; column < layer.in; ++column)
      sum += static_cast<double>(layer.weight(row, column)) * x[column];
    y.push_back(activation(sum));
  }
  return y;
}

std::vector<double> normalized(std::vector<double> x) {
  double square = 0;
  for (const double value : x)
    square += value * value;
  for (double& value : x)
    value /= std::sqrt(square);
  return x;
}

double identity(double x) {
  return x;
}

std::vector<float> embed(const Model& model, const EmbedOptions& options = {}) {
  const Tensor vectors = model.embed(kEmbedded, options);
  return {vectors.values().begin(), vectors.values().end()};
}

// 25 MB, listed 2,000 times, became 6 GB.
TEST(SentenceTransformers, ADenseFolderCountsOnce) {
  const ModelDirectory directory;
  write_pooling(directory, {"mean_tokens"});
  write_dense(directory, {.in = 32, .out = 32});
  const auto refused = [&](const std::vector<json>& modules) {
    write_modules(directory, modules);
    return thrown<FormatError>([&] { Model::load(directory.path()); });
  };
  for (const char* spelling : {"2_Dense", "./2_Dense", "2_Dense/", "2_Dense//."})
    EXPECT_EQ(refused({kTransformer, kPooling, kDense,
                       module("sentence_transformers.models.Dense", spelling)})
                  .field(),
              "2_Dense");
  EXPECT_THAT(refused(std::vector<json>(2000, kDense)).what(), HasSubstr("more modules"));
}

TEST(SentenceTransformers, PoolingIsTheDirectorys) {
  const struct {
    const char* mode;
    Pooling pooling;
  } cases[]{{"cls_token", Pooling::cls},
            {"mean_tokens", Pooling::mean},
            {"max_tokens", Pooling::max},
            {"mean_sqrt_len_tokens", Pooling::mean_sqrt_len}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.mode);
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling});
    write_pooling(directory, {c.mode});
    const Model model = Model::load(directory.path());
    EXPECT_THAT(model.info().poolings, ElementsAre(c.pooling));
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

// ------------------------------------------------------------------------------- pooling

TEST(SentenceTransformers, PoolingsStandSideBySideInTheOrderOfTheOriginal) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  write_pooling(directory, {"mean_sqrt_len_tokens", "mean_tokens", "max_tokens", "cls_token"});
  const Model model = Model::load(directory.path());
  const std::vector<Pooling> order{Pooling::cls, Pooling::max, Pooling::mean,
                                   Pooling::mean_sqrt_len};
  EXPECT_EQ(model.info().poolings, order);
  EXPECT_EQ(model.info().embedding_size, 128u);
  const Tensor vectors = model.embed(kEmbedded);
  EXPECT_THAT(vectors.shape(), ElementsAre(2, 128));
  for (std::size_t p = 0; p < order.size(); ++p) {
    const Tensor single = model.embed(kEmbedded, {.pooling = order[p]});
    EXPECT_THAT(single.shape(), ElementsAre(2, 32));
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_TRUE(std::ranges::equal(vectors.at(i).subspan(32 * p, 32), single.at(i)));
  }
}

TEST(SentenceTransformers, ThePoolingMayBeNamed) {
  const struct {
    const char* config;
    std::vector<Pooling> poolings;
  } cases[]{
      {R"({"pooling_mode": "cls", "pooling_mode_max_tokens": true})", {Pooling::cls}},
      {R"({"pooling_mode": ["mean", "cls"]})", {Pooling::cls, Pooling::mean}},
      {R"({"pooling_mode": null, "pooling_mode_mean_tokens": false, "pooling_mode_max_tokens": true})",
       {Pooling::max}},
      {R"({"pooling_mode_cls_token": true})", {Pooling::cls, Pooling::mean}},  // mean is on unsaid
      {"{}", {Pooling::mean}}};
  for (const auto& c : cases) {
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling});
    directory.write("1_Pooling/config.json", c.config);
    EXPECT_EQ(Model::load(directory.path()).info().poolings, c.poolings) << c.config;
  }
}

TEST(SentenceTransformers, PoolingsThatAreNotRunAreRefusedByName) {
  for (const char* mode : {"weightedmean_tokens", "lasttoken"}) {
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling});
    write_pooling(directory, {"cls_token", mode});
    const auto error = thrown<UnsupportedError>([&] { Model::load(directory.path()); });
    EXPECT_THAT(error.file(), EndsWith("1_Pooling/config.json"));
    EXPECT_EQ(error.field(), std::string("pooling_mode_") + mode);
  }
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  directory.write("1_Pooling/config.json", R"({"pooling_mode": "lasttoken"})");
  EXPECT_EQ(thrown<UnsupportedError>([&] { Model::load(directory.path()); }).actual(), "lasttoken");
}

TEST(SentenceTransformers, APoolingOfAnotherEncoderIsRefused) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  directory.write("1_Pooling/config.json", R"({"word_embedding_dimension": 768})");
  const auto error = thrown<FormatError>([&] { Model::load(directory.path()); });
  EXPECT_EQ(error.field(), "word_embedding_dimension");
  EXPECT_EQ(error.expected(), "32");
  EXPECT_EQ(error.actual(), "768");
}

// ---------------------------------------------------------------------------------- Dense

TEST(SentenceTransformers, DenseLayersAreRunWithTheirActivation) {
  const struct {
    const char* name;
    std::function<double(double)> function;
  } cases[]{{kTanh, [](double x) { return std::tanh(x); }},
            {kIdentity, identity},
            {"torch.nn.modules.activation.ReLU", [](double x) { return std::max(x, 0.0); }},
            {"torch.nn.modules.activation.GELU",
             [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }}};
  for (const auto& c : cases)
    for (const bool bias : {true, false}) {
      SCOPED_TRACE(c.name);
      const DenseLayer layer{.in = 32, .out = 5, .activation = c.name, .bias = bias};
      const ModelDirectory directory;
      write_modules(directory, {kTransformer, kPooling, kDense});
      write_pooling(directory, {"mean_tokens"});
      write_dense(directory, layer);
      const Model model = Model::load(directory.path());
      EXPECT_EQ(model.info().embedding_size, 5u);
      ASSERT_EQ(model.info().modules.size(), 1u);
      EXPECT_THAT(model.info().modules[0], HasSubstr("Dense 32 → 5"));
      const Tensor vectors = model.embed(kEmbedded);
      const Tensor pooled = model.embed(kEmbedded, {.pooling = Pooling::mean});
      EXPECT_THAT(vectors.shape(), ElementsAre(2, 5));
      EXPECT_THAT(pooled.shape(), ElementsAre(2, 32));  // the caller's pooling replaces it all
      for (std::size_t i = 0; i < 2; ++i)
        expect_near(vectors.at(i), apply(layer, as_double(pooled.at(i)), c.function));
      EXPECT_THAT(model.embed(std::vector<std::string>{}).shape(), ElementsAre(0, 5));
    }
}

TEST(SentenceTransformers, DenseTakesTanhAndABiasWhereNothingIsSaid) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling, kDense});
  write_pooling(directory, {"mean_tokens"});
  write_dense(directory, {.in = 32, .out = 5, .activation = kTanh});
  const std::vector<float> expected = embed(Model::load(directory.path()));
  directory.write("2_Dense/config.json", R"({"in_features": 32, "out_features": 5})");
  EXPECT_EQ(embed(Model::load(directory.path())), expected);
}

TEST(SentenceTransformers, DenseIsReadFromATorchArchiveToo) {
  const auto sample = std::filesystem::path(KLUE_TEST_DIR) / "model/data/dense.bin";
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling, kDense});
  write_pooling(directory, {"mean_tokens"});
  write_dense(directory, {.in = 32, .out = 4, .activation = kTanh});
  const std::vector<float> expected = embed(Model::load(directory.path()));
  directory.remove("2_Dense/model.safetensors");
  directory.write("2_Dense/pytorch_model.bin", test::read_bytes(sample));
  EXPECT_EQ(embed(Model::load(directory.path())), expected);
}

// Modules are run in the order in which they stand; only a Normalize at the end is the caller's.
TEST(SentenceTransformers, ModulesAreAPipeline) {
  const DenseLayer first{.in = 64, .out = 48, .activation = kTanh}, second{.in = 48, .out = 3};
  const ModelDirectory directory;
  json second_dense = kDense, dropout = kDense;
  second_dense["path"] = "5_Dense";
  dropout["path"] = "3_Dropout";
  dropout["type"] = "sentence_transformers.models.Dropout";
  write_modules(directory, {kTransformer, kPooling, kNormalize, kDense, dropout, kNormalize,
                            second_dense, kNormalize});
  write_pooling(directory, {"cls_token", "mean_tokens"});
  write_dense(directory, first);
  write_dense(directory, second, "5_Dense");
  const Model model = Model::load(directory.path());
  EXPECT_THAT(model.info().modules,
              ElementsAre("Normalize", "Dense 64 → 48, tanh", "Normalize", "Dense 48 → 3"));
  EXPECT_TRUE(model.info().normalize);
  EXPECT_EQ(model.info().embedding_size, 3u);
  const Tensor cls = model.embed(kEmbedded, {.pooling = Pooling::cls, .normalize = false});
  const Tensor mean = model.embed(kEmbedded, {.pooling = Pooling::mean, .normalize = false});
  const Tensor whole = model.embed(kEmbedded), open = model.embed(kEmbedded, {.normalize = false});
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<double> x = as_double(cls.at(i));
    for (const float value : mean.at(i))
      x.push_back(static_cast<double>(value));
    x = normalized(apply(first, normalized(x), [](double v) { return std::tanh(v); }));
    x = apply(second, x, identity);
    expect_near(open.at(i), x, 1e-5);
    expect_near(whole.at(i), normalized(x), 1e-5);
  }
}

TEST(SentenceTransformers, ATextsVectorIsTheSameBitsAloneAndAmongOthers) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling, kDense, kNormalize});
  write_pooling(directory, {"mean_tokens"});
  write_dense(directory, {.in = 32, .out = 7, .activation = kTanh});
  const Model model = Model::load(directory.path(), {.threads = 2, .batch_tokens = 4});
  const std::vector<std::string> texts{"이 다는 사람", "전", "", "위치가 좋은 숙소", "대 중"};
  const Tensor together = model.embed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(model.embed({texts[i]}).values(), together.at(i)));
}

TEST(SentenceTransformers, DamagedDenseLayersAreRefused) {
  const struct {
    const char* config;
    const char* field;
  } cases[]{{"{}", "in_features"},
            {"[]", ""},
            {"{", ""},
            {R"({"in_features": 32})", "out_features"},
            {R"({"in_features": 32, "out_features": 0})", "out_features"},
            {R"({"in_features": 32, "out_features": -5})", "out_features"},
            {R"({"in_features": 32, "out_features": 1e30})", "out_features"},
            {R"({"in_features": 32, "out_features": 5.0})", "out_features"},
            {R"({"in_features": 768, "out_features": 5})", "in_features"},
            {R"({"in_features": 32, "out_features": 6})", "linear.weight"},
            {R"({"in_features": 32, "out_features": 5, "bias": "yes"})", "bias"},
            {R"({"in_features": 32, "out_features": 5, "activation_function": 3})",
             "activation_function"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.config);
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling, kDense});
    write_pooling(directory, {"mean_tokens"});
    write_dense(directory, {.in = 32, .out = 5});
    directory.write("2_Dense/config.json", c.config);
    const auto error = thrown<FormatError>([&] { Model::load(directory.path()); });
    EXPECT_EQ(error.field(), c.field);
    EXPECT_THAT(error.file(), HasSubstr("2_Dense"));
  }
}

TEST(SentenceTransformers, DenseWeightsThatAreMissingAreRefused) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling, kDense});
  write_pooling(directory, {"mean_tokens"});
  write_dense(directory, {.in = 32, .out = 5, .bias = false});
  directory.write("2_Dense/config.json", R"({"in_features": 32, "out_features": 5})");
  EXPECT_EQ(thrown<FormatError>([&] { Model::load(directory.path()); }).field(), "linear.bias");
  directory.remove("2_Dense/model.safetensors");
  EXPECT_THAT(thrown<IoError>([&] { Model::load(directory.path()); }).file(), EndsWith("2_Dense"));
  directory.remove("2_Dense/config.json");
  EXPECT_THAT(thrown<IoError>([&] { Model::load(directory.path()); }).file(),
              EndsWith("2_Dense/config.json"));
}

TEST(SentenceTransformers, WhatADenseLayerDoesBesideThatIsRefusedByName) {
  const struct {
    const char* key;
    const char* value;
  } cases[]{{"activation_function", "torch.nn.modules.activation.SiLU"},
            {"activation_function", "os.system"},
            {"module_input_name", "token_embeddings"},
            {"module_output_name", "scores"}};
  for (const auto& c : cases) {
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling, kDense});
    write_pooling(directory, {"mean_tokens"});
    write_dense(directory, {.in = 32, .out = 5});
    directory.edit_json("2_Dense/config.json", [&](auto& config) { config[c.key] = c.value; });
    const auto error = thrown<UnsupportedError>([&] { Model::load(directory.path()); });
    EXPECT_EQ(error.field(), c.key);
    EXPECT_EQ(error.actual(), c.value);
  }
}

// ---------------------------------------------------------------------------------- texts

TEST(SentenceTransformers, TextsAreLowerCasedBeforeTheTokenizer) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  write_pooling(directory, {"mean_tokens"});
  const std::vector<std::string> upper{"ABC 사람 ΑΣ", "[MASK]"}, lower{"abc 사람 ας", "[mask]"};
  const Tensor before = Model::load(directory.path()).embed(lower);
  directory.write("sentence_bert_config.json", R"({"do_lower_case": true})");
  const Model model = Model::load(directory.path());
  EXPECT_TRUE(std::ranges::equal(model.embed(upper).values(), before.values()));
  EXPECT_TRUE(std::ranges::equal(model.embed(lower).values(), before.values()));
  // Decomposed Hangul stays what it is: in pieces, and unknown.
  EXPECT_FALSE(std::ranges::equal(model.embed({"사람"}).values(),
                                  model.embed({"\u1109\u1161\u1105\u1161\u11B7"}).values()));
}

TEST(SentenceTransformers, TextsAreStrippedBeforeTheTokenizer) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  write_pooling(directory, {"mean_tokens"});
  // In this dialect an ideographic space would be part of the word.
  const Model model = Model::load(directory.path(), {.dialect = Dialect::tensorflow});
  EXPECT_TRUE(std::ranges::equal(model.embed({"\u3000사람\u00A0"}).values(),
                                 model.embed({"사람"}).values()));
  const std::vector<TextPair> spaced{{"전 ", "\u3000사람"}}, plain{{"전", "사람"}};
  EXPECT_TRUE(std::ranges::equal(model.embed(spaced).values(), model.embed(plain).values()));
}

TEST(SentenceTransformers, TheDefaultPromptStandsBeforeEveryText) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  write_pooling(directory, {"mean_tokens"});
  const Tensor expected = Model::load(directory.path()).embed({"이 사람", "이 전"});
  directory.write("config_sentence_transformers.json",
                  R"({"prompts": {"query": "이 "}, "default_prompt_name": "query"})");
  const Model model = Model::load(directory.path());
  EXPECT_TRUE(std::ranges::equal(model.embed({"사람", "전"}).values(), expected.values()));
  // Only embed puts it there.
  EXPECT_TRUE(std::ranges::equal(
      model.encode({"이 사람", "이 전"}).sequence_output.values(),
      Model::load(test::fixture("tiny-11")).encode({"이 사람", "이 전"}).sequence_output.values()));

  directory.write("1_Pooling/config.json", R"({"include_prompt": false})");
  EXPECT_EQ(thrown<UnsupportedError>([&] { Model::load(directory.path()); }).field(),
            "include_prompt");
  directory.write("config_sentence_transformers.json",
                  R"({"prompts": {"query": "이 "}, "default_prompt_name": null})");
  EXPECT_NO_THROW(Model::load(directory.path()));
  directory.write("config_sentence_transformers.json", R"({"default_prompt_name": "query"})");
  EXPECT_EQ(thrown<FormatError>([&] { Model::load(directory.path()); }).field(), "prompts");
}

// -------------------------------------------------------------------------------- modules

// As versions before 2.0 saved it: the encoder in a folder of its own.
TEST(SentenceTransformers, TheTransformerMayBeInAFolder) {
  const ModelDirectory directory;
  const std::vector<float> expected = embed(Model::load(directory.path()), {.max_length = 4});
  for (const char* file : {"config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt",
                           "special_tokens_map.json", "model.safetensors"}) {
    directory.write("0_Transformer/" + std::string(file), directory.read(file));
    directory.remove(file);
  }
  directory.write("0_Transformer/sentence_bert_config.json", R"({"max_seq_length": 4})");
  write_modules(directory,
                {module("sentence_transformers.models.Transformer", "0_Transformer"), kPooling});
  write_pooling(directory, {"mean_tokens"});
  EXPECT_EQ(embed(Model::load(directory.path())), expected);
  EXPECT_EQ(load_preprocessor(directory.path()).tokenizer().vocabulary().size(), 1200u);
}

TEST(SentenceTransformers, ModulesOfAnyPackageOfTheLibraryAreKnown) {
  const ModelDirectory directory;
  write_modules(directory, {module("sentence_transformers.base.modules.Transformer", ""),
                            module("sentence_transformers.models.pooling.Pooling", "1_Pooling")});
  write_pooling(directory, {"cls_token"});
  EXPECT_THAT(Model::load(directory.path()).info().poolings, ElementsAre(Pooling::cls));
}

TEST(SentenceTransformers, UnknownModulesAreRefusedByName) {
  for (const char* type : {"sentence_transformers.models.LSTM", "my_package.Dense"}) {
    const ModelDirectory directory;
    write_pooling(directory, {"mean_tokens"});
    write_modules(directory, {kTransformer, kPooling, module(type, "2_Other")});
    const auto error = thrown<UnsupportedError>([&] { Model::load(directory.path()); });
    EXPECT_THAT(error.file(), EndsWith("modules.json"));
    EXPECT_EQ(error.field(), "2_Other");
    EXPECT_EQ(error.actual(), type);
  }
}

TEST(SentenceTransformers, ModulesInAnImpossibleOrderAreRefused) {
  for (const std::vector<json>& modules : {std::vector<json>{},
                                           {kTransformer},
                                           {kPooling},
                                           {kPooling, kTransformer},
                                           {kTransformer, kDense, kPooling},
                                           {kTransformer, kNormalize},
                                           {kTransformer, kPooling, kPooling},
                                           {kTransformer, kTransformer, kPooling}}) {
    SCOPED_TRACE(json(modules).dump());
    const ModelDirectory directory;
    write_pooling(directory, {"mean_tokens"});
    write_dense(directory, {.in = 32, .out = 5});
    write_modules(directory, modules);
    EXPECT_THAT(thrown<FormatError>([&] { Model::load(directory.path()); }).file(),
                EndsWith("modules.json"));
  }
}

TEST(SentenceTransformers, ModulesOutsideOfTheDirectoryAreRefused) {
  for (const char* path : {"/etc", "../other", "a/../../b", ".."}) {
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, module("sentence_transformers.models.Pooling", path)});
    const auto error = thrown<FormatError>([&] { Model::load(directory.path()); });
    EXPECT_EQ(error.field(), "path");
    EXPECT_EQ(error.actual(), path);
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
  for (const char* file : {"modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
                           "config_sentence_transformers.json"})
    for (const char* content : {"", "[", "3", "\"\xFF\"", "null"})
      refused(file, content);
  refused("modules.json", "{}");
  EXPECT_EQ(refused("modules.json", "[{}]").field(), "type");
  EXPECT_EQ(refused("modules.json", "[3]").field(), "type");
  EXPECT_EQ(
      refused("modules.json", R"([{"type": "sentence_transformers.models.Normalize"}])").field(),
      "path");
  EXPECT_EQ(refused("1_Pooling/config.json", R"({"pooling_mode_cls_token": "yes"})").field(),
            "pooling_mode_cls_token");
  EXPECT_EQ(refused("1_Pooling/config.json", R"({"include_prompt": 1})").field(), "include_prompt");
  EXPECT_EQ(refused("1_Pooling/config.json", R"({"word_embedding_dimension": "32"})").field(),
            "word_embedding_dimension");
  for (const char* none : {R"({"pooling_mode_mean_tokens": false})", R"({"pooling_mode": []})"})
    EXPECT_THAT(refused("1_Pooling/config.json", none).what(),
                HasSubstr("no pooling mode is chosen"));
  EXPECT_EQ(refused("sentence_bert_config.json", R"({"max_seq_length": 0})").field(),
            "max_seq_length");
  EXPECT_EQ(refused("sentence_bert_config.json", R"({"do_lower_case": 1})").field(),
            "do_lower_case");
}

TEST(SentenceTransformers, EveryTruncationIsRefused) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling, kDense});
  write_pooling(directory, {"mean_tokens"});
  write_dense(directory, {.in = 32, .out = 2});
  directory.write("sentence_bert_config.json", R"({"max_seq_length": 4, "do_lower_case": true})");
  directory.write("config_sentence_transformers.json",
                  R"({"prompts": {"query": "이 "}, "default_prompt_name": "query"})");
  for (const char* file :
       {"modules.json", "1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
        "sentence_bert_config.json", "config_sentence_transformers.json"}) {
    const std::string whole = directory.read(file);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      directory.write(file, std::string_view(whole).substr(0, size));
      EXPECT_THROW(Model::load(directory.path()), FormatError) << file << " of " << size;
    }
    directory.write(file, whole);
  }
  EXPECT_NO_THROW(Model::load(directory.path()));
}

TEST(SentenceTransformers, DamagedBytesNeverDoMoreThanFail) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling, kDense});
  write_pooling(directory, {"mean_tokens"});
  write_dense(directory, {.in = 32, .out = 2});
  for (const char* file : {"modules.json", "1_Pooling/config.json", "2_Dense/config.json"}) {
    const std::string whole = directory.read(file);
    test::expect_byte_flips_survived(whole, whole.size(), [&](const auto& bytes) {
      directory.write(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      Model::load(directory.path());
    });
    directory.write(file, whole);
  }
}

TEST(SentenceTransformers, DeepNestingIsSurvived) {
  constexpr std::size_t kDepth = 1'000'000;
  const std::string deep = std::string(kDepth, '[') + std::string(kDepth, ']');
  const auto load = [&](const char* file, const std::string& content) {
    const ModelDirectory directory;
    write_modules(directory, {kTransformer, kPooling, kDense});
    write_pooling(directory, {"mean_tokens"});
    write_dense(directory, {.in = 32, .out = 5});
    directory.write(file, content);
    EXPECT_THROW(Model::load(directory.path()), Error) << file;
  };
  load("modules.json", deep);
  load("modules.json", R"([{"type": )" + deep + "}]");
  load("1_Pooling/config.json", R"({"pooling_mode": )" + deep + "}");
  load("2_Dense/config.json", R"({"in_features": )" + deep + "}");
  load("sentence_bert_config.json", R"({"max_seq_length": )" + deep + "}");
  load("config_sentence_transformers.json", R"({"default_prompt_name": )" + deep + "}");
}

TEST(SentenceTransformers, AMissingPoolingConfigurationIsAnIoError) {
  const ModelDirectory directory;
  write_modules(directory, {kTransformer, kPooling});
  const auto error = thrown<IoError>([&] { Model::load(directory.path()); });
  EXPECT_THAT(error.file(), EndsWith("1_Pooling/config.json"));
}

}  // namespace
}  // namespace klue
