// What is wrong with a model directory is said by type, file and field, and never crashes.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue {
namespace {

using test::ModelDirectory;
using test::thrown;
using testing::EndsWith;
using testing::HasSubstr;

template <class Error>
Error refused(const ModelDirectory& directory) {
  return thrown<Error>([&] { Model::load(directory.path()); });
}

TEST(BadModel, ADirectoryThatIsNotThere) {
  const auto error = thrown<IoError>([] { Model::load("/no/such/model"); });
  EXPECT_EQ(error.file(), "/no/such/model");
  EXPECT_STREQ(error.what(), "/no/such/model: no such model directory");
}

TEST(BadModel, AFileInsteadOfADirectory) {
  const ModelDirectory directory;
  const auto file = directory.path() / "config.json";
  EXPECT_EQ(thrown<IoError>([&] { Model::load(file); }).file(), file.string());
}

TEST(BadModel, NoConfiguration) {
  const ModelDirectory directory;
  directory.remove("config.json");
  EXPECT_THAT(refused<IoError>(directory).file(), EndsWith("/config.json"));
}

TEST(BadModel, NoTokenizer) {
  const ModelDirectory directory;
  directory.remove("tokenizer.json");
  directory.remove("vocab.txt");
  const auto error = refused<IoError>(directory);
  EXPECT_EQ(error.file(), directory.path().string());
  EXPECT_EQ(error.expected(), "tokenizer.json or vocab.txt");
}

TEST(BadModel, NoWeights) {
  const ModelDirectory directory;
  directory.remove("model.safetensors");
  const auto error = refused<IoError>(directory);
  EXPECT_EQ(error.file(), directory.path().string());
  EXPECT_THAT(error.what(), HasSubstr("no weights"));
  EXPECT_THAT(error.expected(), HasSubstr("model.safetensors"));
}

TEST(BadModel, OnlyWeightsOfAnotherProgram) {
  const ModelDirectory directory;
  directory.remove("model.safetensors");
  directory.write("tf_model.h5", "\x89HDF");
  const auto error = refused<UnsupportedError>(directory);
  EXPECT_EQ(error.actual(), "tf_model.h5");
  EXPECT_THAT(error.expected(), HasSubstr("model.safetensors"));
}

TEST(BadModel, AGitLfsPointerInsteadOfWeights) {
  const ModelDirectory directory;
  directory.write("model.safetensors",
                  "version https://git-lfs.github.com/spec/v1\n"
                  "oid sha256:4cac9fa3dc0e4b9c8bd6c1d5ac4d4d2c6d66c5e4a5e8a0d0e6c6b1f4cb1c1c1c\n"
                  "size 442553612\n");
  const auto error = refused<FormatError>(directory);
  EXPECT_THAT(error.file(), EndsWith("/model.safetensors"));
  EXPECT_THAT(error.what(), HasSubstr("Git LFS pointer"));
  EXPECT_THAT(error.what(), HasSubstr("git lfs pull"));
}

TEST(BadModel, WeightsThatAreCutShort) {
  const ModelDirectory directory;
  const std::string whole = directory.read("model.safetensors");
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{100},
                                 whole.size() / 2, whole.size() - 1}) {
    SCOPED_TRACE(size);
    directory.write("model.safetensors", whole.substr(0, size));
    const auto error = refused<FormatError>(directory);
    EXPECT_THAT(error.file(), EndsWith("/model.safetensors"));
  }
  directory.write("model.safetensors", whole.substr(0, whole.size() - 1));
  EXPECT_THAT(refused<FormatError>(directory).what(), HasSubstr("cut short"));
}

TEST(BadModel, AHeaderLongerThanTheFile) {
  const ModelDirectory directory;
  const std::string rest = directory.read("model.safetensors").substr(8);
  for (const std::uint64_t length : {std::uint64_t{rest.size() + 1}, ~std::uint64_t{0}}) {
    directory.write("model.safetensors", test::with_length(length, rest));
    const auto error = refused<FormatError>(directory);
    EXPECT_THAT(error.what(), HasSubstr("header is longer than the file"));
    EXPECT_EQ(error.actual(), std::to_string(length));
  }
}

TEST(BadModel, ATensorOfAnotherShape) {
  const ModelDirectory directory;
  constexpr const char* kName = "roberta.encoder.layer.1.intermediate.dense.weight";
  directory.edit_header([&](auto& header) { header[kName]["shape"] = {32, 64}; });
  const auto error = refused<FormatError>(directory);
  EXPECT_THAT(error.file(), EndsWith("/model.safetensors"));
  EXPECT_EQ(error.field(), kName);
  EXPECT_EQ(error.expected(), "[64, 32]");
  EXPECT_EQ(error.actual(), "[32, 64]");
  EXPECT_THAT(error.what(), HasSubstr("wrong shape"));
}

TEST(BadModel, AnyTensorThatIsMissing) {
  for (const char* name :
       {"roberta.embeddings.position_embeddings.weight", "roberta.embeddings.LayerNorm.bias",
        "roberta.encoder.layer.0.attention.self.query.weight",
        "roberta.encoder.layer.1.output.LayerNorm.weight", "roberta.pooler.dense.bias"}) {
    SCOPED_TRACE(name);
    const ModelDirectory directory;
    directory.edit_header([&](auto& header) {
      header["elsewhere"] = header[name];
      header.erase(name);
    });
    const auto error = refused<FormatError>(directory);
    EXPECT_EQ(error.field(), name);
    EXPECT_THAT(error.what(), HasSubstr("tensor missing"));
    EXPECT_FALSE(error.expected().empty());
  }
}

TEST(BadModel, WeightsWithoutAnEncoder) {
  const ModelDirectory directory;
  directory.write("model.safetensors", test::safetensors_with("something.else"));
  EXPECT_THAT(refused<FormatError>(directory).what(), HasSubstr("no RoBERTa or BERT encoder"));
}

TEST(BadModel, WeightsThatAreWholeNumbers) {
  const ModelDirectory directory;
  constexpr const char* kName = "roberta.embeddings.LayerNorm.weight";
  directory.edit_header([&](auto& header) { header[kName]["dtype"] = "I32"; });
  const auto error = refused<FormatError>(directory);
  EXPECT_EQ(error.field(), kName);
  EXPECT_EQ(error.actual(), "I32");
}

TEST(BadModel, AVocabularyOfAnotherModel) {
  const ModelDirectory directory;
  directory.edit_json("config.json", [](auto& config) { config["vocab_size"] = 1000; });
  const auto error = refused<FormatError>(directory);
  EXPECT_EQ(error.field(), "vocab_size");
  EXPECT_EQ(error.expected(), "1000 pieces");
  EXPECT_EQ(error.actual(), "1200");
}

// Embedding tables are rounded up, and have rows for tokens to come: a quarter of them may be
// spare. More is the table of another model.
TEST(BadModel, AVocabularyMuchSmallerThanItsTable) {
  const ModelDirectory directory;
  directory.remove("tokenizer.json");
  std::string pieces = directory.read("vocab.txt");
  const auto drop_lines = [&](int count) {
    while (count-- > 0)
      pieces.resize(pieces.rfind('\n', pieces.size() - 2) + 1);
    directory.write("vocab.txt", pieces);
  };
  drop_lines(300);
  EXPECT_NO_THROW(Model::load(directory.path()));
  drop_lines(1);
  const auto error = refused<FormatError>(directory);
  EXPECT_EQ(error.field(), "vocab_size");
  EXPECT_EQ(error.actual(), "899");
}

TEST(BadModel, AVocabularyThatIsSpareRowsShortOfTheConfiguration) {
  const ModelDirectory directory;  // the table of 1200 rows is not what the configuration says
  directory.edit_json("config.json", [](auto& config) { config["vocab_size"] = 1201; });
  const auto error = refused<FormatError>(directory);
  EXPECT_EQ(error.field(), "roberta.embeddings.word_embeddings.weight");
  EXPECT_EQ(error.expected(), "[1201, 32]");
  EXPECT_EQ(error.actual(), "[1200, 32]");
}

TEST(BadModel, AnotherPaddingTokenThanTheTokenizers) {
  const ModelDirectory directory;
  directory.edit_json("config.json", [](auto& config) { config["pad_token_id"] = 0; });
  const auto error = refused<FormatError>(directory);
  EXPECT_EQ(error.field(), "pad_token_id");
  EXPECT_EQ(error.expected(), "1");
  EXPECT_EQ(error.actual(), "0");
}

TEST(BadModel, ATokenizerThatContradictsItsVocabulary) {
  const ModelDirectory directory;
  std::string pieces = directory.read("vocab.txt");
  pieces.replace(pieces.find("\n!\n"), 3, "\nWRONG\n");
  directory.write("vocab.txt", pieces);
  const auto error = refused<FormatError>(directory);
  EXPECT_THAT(error.file(), EndsWith("/vocab.txt"));
  EXPECT_EQ(error.field(), "line 6");
}

TEST(BadModel, ATokenizerWithoutASpecialToken) {
  const ModelDirectory directory;
  directory.remove("tokenizer.json");
  std::string pieces = directory.read("vocab.txt");
  pieces.replace(pieces.find("[SEP]"), 5, "[sep]");
  directory.write("vocab.txt", pieces);
  EXPECT_THAT(refused<FormatError>(directory).what(), HasSubstr("[SEP]"));
}

TEST(BadModel, AConfigurationThatIsNoJson) {
  const ModelDirectory directory;
  for (const char* content :
       {"", "{", "[]", "\xFF", "version https://git-lfs.github.com/spec/v1\n"}) {
    SCOPED_TRACE(content);
    directory.write("config.json", content);
    EXPECT_THAT(refused<FormatError>(directory).file(), EndsWith("/config.json"));
  }
}

TEST(BadModel, AConfigurationThatCannotBe) {
  const struct {
    const char* field;
    nlohmann::json value;
  } cases[]{{"num_attention_heads", 5},     {"num_attention_heads", 0}, {"hidden_size", -32},
            {"hidden_size", 1e300},         {"vocab_size", "many"},     {"pad_token_id", 1200},
            {"max_position_embeddings", 2}, {"layer_norm_eps", 0},      {"layer_norm_eps", nullptr},
            {"num_hidden_layers", 2.5}};
  for (const auto& c : cases) {
    const ModelDirectory directory;
    directory.edit_json("config.json", [&](auto& config) { config[c.field] = c.value; });
    EXPECT_EQ(refused<FormatError>(directory).field(), c.field) << c.value;
  }
}

TEST(BadModel, AnEncoderOfAnotherKind) {
  const struct {
    const char* field;
    const char* value;
  } cases[]{{"model_type", "gpt2"}, {"hidden_act", "swish"}, {"position_embedding_type", "rotary"}};
  for (const auto& c : cases) {
    const ModelDirectory directory;
    directory.edit_json("config.json", [&](auto& config) { config[c.field] = c.value; });
    const auto error = refused<UnsupportedError>(directory);
    EXPECT_EQ(error.field(), c.field);
    EXPECT_EQ(error.actual(), c.value);
  }
}

TEST(BadModel, MoreLayersThanWeights) {
  const ModelDirectory directory;
  directory.edit_json("config.json", [](auto& config) { config["num_hidden_layers"] = 3; });
  EXPECT_THAT(refused<FormatError>(directory).field(), HasSubstr("encoder.layer.2."));
}

}  // namespace
}  // namespace klue
