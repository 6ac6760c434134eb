// What docs/models.md says of Korean models, on made models of the same kind: what their published
// configurations hold, how each is pooled unless the caller says otherwise, and what is silent.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue {
namespace {

using test::fixture;
using test::ModelDirectory;
using testing::ElementsAre;

const std::vector<std::string> kKoreanTexts{"이 다는 사람", "전", "위치가 좋은 숙소입니다."};

std::vector<float> numbers_of(std::span<const float> values) {
  return {values.begin(), values.end()};
}

// klue/roberta-base has no pooler, and says nothing of pooling.
TEST(KoreanModels, KlueRobertaIsPooledByMean) {
  const Model model = Model::load(fixture("tiny-11-no-pooler"));
  EXPECT_EQ(model.encoder().config().model_type, "roberta");
  EXPECT_THAT(model.info().poolings, ElementsAre(Pooling::mean));
  EXPECT_FALSE(model.info().normalize);
  EXPECT_FALSE(model.encoder().has_pooler());
}

// KcBERT's configuration has 300 positions, and neither pad_token_id nor layer_norm_eps.
TEST(KoreanModels, KcBertHas300Positions) {
  const ModelDirectory directory("tiny-11-bert");
  directory.edit_json("config.json", [](auto& config) {
    config["max_position_embeddings"] = 300;
    config.erase("pad_token_id");
    config.erase("layer_norm_eps");
  });
  std::vector<test::FloatTensor> tensors = test::tensors_of(fixture("tiny-11-bert"));
  for (test::FloatTensor& tensor : tensors)
    if (tensor.name.ends_with("position_embeddings.weight")) {
      tensor.shape[0] = 300;
      tensor.values.resize(300 * tensor.shape[1]);
    }
  directory.write("model.safetensors", test::safetensors_of(tensors));

  const Model model = Model::load(directory.path());
  EXPECT_EQ(model.info().max_length, 300u);
  EXPECT_THAT(model.info().poolings, ElementsAre(Pooling::mean));
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "사람 ";
  EXPECT_EQ(
      numbers_of(model.embed({text}).values()),
      numbers_of(Model::load(fixture("tiny-11-bert")).embed({text}, {.max_length = 300}).values()));
}

// A discriminator: the encoder and the head that tells replaced tokens, which is not run.
TEST(KoreanModels, KoElectraIsPooledByMeanWithoutItsHead) {
  const ModelDirectory directory("tiny-11-bert");
  std::vector<test::FloatTensor> tensors = test::tensors_of(fixture("tiny-11-bert"));
  std::erase_if(tensors, [](const auto& tensor) { return tensor.name.starts_with("bert.pooler"); });
  for (test::FloatTensor& tensor : tensors)
    tensor.name.replace(0, 4, "electra");
  tensors.push_back({"discriminator_predictions.dense.weight", {32, 32}, std::vector<float>(1024)});
  tensors.push_back({"discriminator_predictions.dense.bias", {32}, std::vector<float>(32)});
  tensors.push_back(
      {"discriminator_predictions.dense_prediction.weight", {1, 32}, std::vector<float>(32)});
  tensors.push_back({"discriminator_predictions.dense_prediction.bias", {1}, {0}});
  directory.write("model.safetensors", test::safetensors_of(tensors));
  directory.edit_json("config.json", [](auto& config) {
    config["architectures"] = {"ElectraForPreTraining"};
    config["model_type"] = "electra";
    config["embedding_size"] = 32;
  });

  const Model model = Model::load(directory.path());
  EXPECT_THAT(model.info().poolings, ElementsAre(Pooling::mean));
  EXPECT_FALSE(model.encoder().has_pooler());
  ASSERT_TRUE(model.info().head.has_value());
  EXPECT_EQ(model.info().head->description, "not run: discriminator_predictions");
  EXPECT_EQ(model.info().head->labels, 0u);
  const Tensor vectors = model.embed(kKoreanTexts);
  const Tensor expected = Model::load(fixture("tiny-11-bert")).embed(kKoreanTexts);
  EXPECT_EQ(numbers_of(vectors.values()), numbers_of(expected.values()));
}

// As KoSimCSE is published: an encoder with a pooler, names without a prefix, and no word about the
// first token, which its training compared. Nothing can tell; the mean is what one gets.
TEST(KoreanModels, ABareKoSimCseIsPooledByMeanUnlessToldCls) {
  const Model model = Model::load(fixture("tiny-11-bare"));
  EXPECT_THAT(model.info().poolings, ElementsAre(Pooling::mean));
  ASSERT_TRUE(model.encoder().has_pooler());
  const auto vectors = [&](Pooling pooling) {
    return numbers_of(model.embed(kKoreanTexts, {.pooling = pooling}).values());
  };
  EXPECT_EQ(vectors(Pooling::automatic), vectors(Pooling::mean));
  EXPECT_NE(vectors(Pooling::cls), vectors(Pooling::mean));
  EXPECT_NE(vectors(Pooling::cls), vectors(Pooling::pooler));
  std::vector<float> first;
  const EncoderOutputs out = model.encode(kKoreanTexts);
  for (std::size_t i = 0; i < kKoreanTexts.size(); ++i)
    std::ranges::copy(out.sequence_output.at(i, 0), std::back_inserter(first));
  const std::vector<float> cls = vectors(Pooling::cls);
  ASSERT_EQ(cls.size(), first.size());
  for (std::size_t i = 0; i < cls.size(); ++i)
    EXPECT_NEAR(cls[i], first[i], 2e-5f);
}

}  // namespace
}  // namespace klue
