// The same model in every format gives the same numbers, bit for bit.

#include <algorithm>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue {
namespace {

using test::fixture;
using test::ModelDirectory;
using test::thrown;
using testing::HasSubstr;

struct Pair {
  const char* format;
  const char* safetensors;
};

class Formats : public testing::TestWithParam<Pair> {};

TEST_P(Formats, GiveTheSameOutputs) {
  if (!std::filesystem::exists(fixture(GetParam().format)))
    GTEST_SKIP() << "this build makes no fixture " << GetParam().format;
  // A SavedModel's own dialect is the other one; the texts below are the same tokens in both.
  const LoadOptions options{.dialect = Dialect::huggingface};
  const Model model = Model::load(fixture(GetParam().format), options);
  const Model same = Model::load(fixture(GetParam().safetensors), options);
  const Texts texts{"첫 번째 문장", "두 번째 문장은 조금 더 길다.", ""};
  const EncoderOutputs ours = model.encode(texts), theirs = same.encode(texts);
  EXPECT_TRUE(std::ranges::equal(ours.sequence_output.values(), theirs.sequence_output.values()));
  ASSERT_TRUE(ours.pooled_output.has_value());
  EXPECT_TRUE(std::ranges::equal(ours.pooled_output->values(), theirs.pooled_output->values()));
}

INSTANTIATE_TEST_SUITE_P(
    , Formats,
    testing::Values(
        Pair{"tiny-11-shards", "tiny-11"}, Pair{"tiny-11-bin", "tiny-11"},
        Pair{"tiny-11-bin-shards", "tiny-11"}, Pair{"tiny-11-legacy-bin", "tiny-11"},
        Pair{"tiny-11-bare", "tiny-11"}, Pair{"tiny-11-position-ids", "tiny-11"},
        Pair{"tiny-11-saved-model", "tiny-11"}, Pair{"tiny-11-saved-model-snappy", "tiny-11"},
        Pair{"tiny-11-shards-f16", "tiny-11-f16"}, Pair{"tiny-11-shards-bf16", "tiny-11-bf16"},
        Pair{"tiny-11-bin-f16", "tiny-11-f16"}, Pair{"tiny-11-bin-bf16", "tiny-11-bf16"},
        Pair{"tiny-11-bin-shards-f16", "tiny-11-f16"},
        Pair{"tiny-11-bin-shards-bf16", "tiny-11-bf16"},
        Pair{"tiny-11-legacy-bin-f16", "tiny-11-f16"},
        Pair{"tiny-11-legacy-bin-bf16", "tiny-11-bf16"},
        Pair{"tiny-11-saved-model-f16", "tiny-11-f16"},
        Pair{"tiny-11-saved-model-bf16", "tiny-11-bf16"}),
    [](const auto& test) {
      std::string name = test.param.format;
      std::ranges::replace(name, '-', '_');
      return name;
    });

TEST(SavedModel, IsTokenizedInItsOwnDialect) {
  const Model model = Model::load(fixture("tiny-11-saved-model"));
  EXPECT_EQ(model.preprocessor().dialect(), Dialect::tensorflow);
  EXPECT_EQ(model.info().max_length, 128u);
  EXPECT_EQ(model.encode({"문장"}).sequence_output.shape(), (std::vector<std::size_t>{1, 128, 32}));
  EXPECT_EQ(load_preprocessor(fixture("tiny-11-saved-model")).dialect(), Dialect::tensorflow);
}

TEST(SavedModel, FindsTheVocabularyBesideItOrWhereItIsTold) {
  namespace fs = std::filesystem;
  const test::ScratchDirectory home;
  const fs::path model = home.path() / "klue_roberta_cased_L-12_H-768_A-12";
  fs::copy(fixture("tiny-11-saved-model"), model, fs::copy_options::recursive);
  const fs::path preprocess = home.path() / "klue_roberta_cased_preprocess";
  fs::create_directories(preprocess);
  fs::rename(model / "assets", preprocess / "assets");
  EXPECT_NO_THROW(Model::load(model));

  const fs::path elsewhere = home.path() / "elsewhere";
  fs::rename(preprocess, elsewhere);
  EXPECT_THAT(thrown<IoError>([&] { Model::load(model); }).what(), HasSubstr("preprocess"));
  EXPECT_NO_THROW(Model::load(model, {.preprocessor = elsewhere}));
  EXPECT_NO_THROW(Model::load(model, {.preprocessor = elsewhere / "assets"}));
}

TEST(LoadPreprocessor, NeedsNoWeights) {
  const ModelDirectory directory;
  directory.remove("model.safetensors");
  EXPECT_EQ(load_preprocessor(directory.path()).tokenizer().vocabulary().size(), 1200u);
  EXPECT_THROW(load_preprocessor("/no/such/model"), IoError);
}

}  // namespace
}  // namespace klue
