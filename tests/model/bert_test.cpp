// RoBERTa and BERT from text to vectors, against a slow encoder that shares no code with ours.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "encoder/slow_encoder.hpp"
#include "model/model_directory.hpp"
#include "near.hpp"

namespace klue {
namespace {

using test::expect_near;
using test::fixture;
using test::ModelDirectory;
using test::SlowEncoder;
using testing::ElementsAre;

const std::vector<TextPair> kTexts{{"이 다는 사람"},
                                   {""},
                                   {"위치가 좋은 숙소입니다. 다시 오고 싶어요!"},
                                   {"이 다는 사람 전부", "전"},
                                   {"대", "위치가 좋은 (2024) abc"},
                                   {"", "사람"}};

struct Family {
  const char* fixture;
  const char* prefix;
};

class EncoderFamily : public testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(, EncoderFamily,
                         testing::Values(Family{"tiny-11", "roberta."},
                                         Family{"tiny-11-bert", "bert."}),
                         [](const auto& test) {
                           const std::string prefix = test.param.prefix;
                           return prefix.substr(0, prefix.size() - 1);
                         });

TEST_P(EncoderFamily, GivesWhatThePapersSay) {
  const Model model = Model::load(fixture(GetParam().fixture));
  const Checkpoint checkpoint = open_checkpoint(fixture(GetParam().fixture));
  const EncoderConfig& config = model.encoder().config();
  const SlowEncoder slow(config, checkpoint, GetParam().prefix);
  const EncoderOutputs out = model.encode(kTexts);
  ASSERT_TRUE(out.pooled_output.has_value());
  const Tensor mean = model.embed(kTexts, {.pooling = Pooling::mean});
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    SCOPED_TRACE(i);
    Encoding encoding = model.preprocessor().encode(kTexts[i].text, kTexts[i].text_pair);
    if (config.type_vocab_size == 1) encoding.type_ids.assign(encoding.size(), 0);
    const SlowEncoder::Matrix hidden = slow.run(encoding.ids, encoding.type_ids);
    SlowEncoder::Vector sum(config.hidden_size);
    for (std::size_t t = 0; t < hidden.size(); ++t) {
      expect_near(out.sequence_output.at(i, t), hidden[t]);
      for (std::size_t feature = 0; feature < sum.size(); ++feature)
        sum[feature] += hidden[t][feature] / static_cast<double>(hidden.size());
    }
    expect_near(out.pooled_output->at(i), slow.pool(hidden));
    expect_near(mean.at(i), sum);
  }
}

TEST(Bert, TakesItsSpecialTokensFromTheFiles) {
  const Model model = Model::load(fixture("tiny-11-bert"));
  const Encoding pair = model.preprocessor().encode("전", "대");
  ASSERT_EQ(pair.size(), 5u);
  EXPECT_EQ(pair.ids[0], 2);  // [CLS], which is 0 in RoBERTa's vocabulary
  EXPECT_EQ(pair.ids[2], 3);
  EXPECT_EQ(pair.ids[4], 3);
  EXPECT_THAT(pair.type_ids, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_EQ(model.encoder().config().pad_token_id, 0u);
  EXPECT_EQ(model.info().max_length, 512u);
}

// The second text's type reaches the encoder, and makes a difference.
TEST(Bert, TellsTheTextsOfAPairApart) {
  const Model model = Model::load(fixture("tiny-11-bert"));
  const auto a = model.preprocessor().tokenize({"전 대"}),
             b = model.preprocessor().tokenize({"사람"});
  EncoderInputs packed = model.preprocessor().bert_pack_inputs({a, b}, 16);
  const Tensor pair =
      model.embed(std::vector<TextPair>{{"전 대", "사람"}}, {.pooling = Pooling::cls});
  EXPECT_TRUE(std::ranges::equal(pair.values(), model.encoder()(packed).sequence_output.at(0, 0)));
  packed.input_type_ids.assign(packed.input_type_ids.size(), 0);
  EXPECT_FALSE(std::ranges::equal(pair.values(), model.encoder()(packed).sequence_output.at(0, 0)));
}

// As checkpoints converted from TensorFlow before 2019 name them.
TEST(Bert, ReadsTheOldNamesOfLayerNorms) {
  const ModelDirectory directory("tiny-11-bert");
  directory.edit_header([](auto& header) {
    auto renamed = nlohmann::ordered_json::object();
    for (auto& [name, value] : header.items()) {
      std::string old = name;
      for (const auto& [now, then] : {std::pair{"LayerNorm.weight", "LayerNorm.gamma"},
                                      std::pair{"LayerNorm.bias", "LayerNorm.beta"}})
        if (old.ends_with(now)) old.replace(old.size() - std::string(now).size(), old.npos, then);
      renamed[old] = value;
    }
    header = renamed;
  });
  EXPECT_EQ(directory.read("model.safetensors").find("LayerNorm.weight"), std::string::npos);
  EXPECT_TRUE(std::ranges::equal(Model::load(directory.path()).embed(kTexts).values(),
                                 Model::load(fixture("tiny-11-bert")).embed(kTexts).values()));
}

TEST(Bert, OtherFamiliesAreRefusedByName) {
  for (const char* family : {"deberta-v2", "distilbert", "xlm-roberta", "albert", "modernbert",
                             "longformer", "big_bird", "bart", "gpt2", "t5", ""}) {
    const ModelDirectory directory("tiny-11-bert");
    directory.edit_json("config.json", [&](auto& config) { config["model_type"] = family; });
    const auto error = test::thrown<UnsupportedError>([&] { Model::load(directory.path()); });
    EXPECT_EQ(error.field(), "model_type");
    EXPECT_EQ(error.actual(), family);
  }
}

}  // namespace
}  // namespace klue
