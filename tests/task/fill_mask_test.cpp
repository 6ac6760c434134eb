#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"
#include "task/slow_head.hpp"

namespace klue {
namespace {

using test::fixture;
using test::ModelDirectory;
using test::thrown;
using test::Vector;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const MaskFiller& filler() {
  static const MaskFiller value(Model::load(fixture("tiny-11"), {.batch_tokens = 32}));
  return value;
}

void gelu(Vector& x) {
  for (double& value : x)
    value *= 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
}

void normalise(Vector& x, const Vector& gamma, const Vector& beta, double epsilon) {
  double mean = 0, variance = 0;
  for (const double value : x)
    mean += value / static_cast<double>(x.size());
  for (const double value : x)
    variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = (x[i] - mean) / std::sqrt(variance + epsilon) * gamma[i] + beta[i];
}

struct HeadNames {
  const char *fixture, *dense, *norm, *decoder, *bias;
  double epsilon;
};

void expect_logits(const HeadNames& names) {
  const Checkpoint checkpoint = open_checkpoint(fixture(names.fixture));
  const MaskFiller ours(Model::load(fixture(names.fixture)));
  const std::string text = "이 [MASK] 사람 [MASK][MASK].";
  const MaskLogits logits = ours.logits(text);
  ASSERT_THAT(logits.positions, ElementsAre(2, 5, 6));
  const Tensor rows = ours.model().encode(text).sequence_output;
  const auto vector = [&](const char* name) { return test::read_vector(checkpoint, name); };
  const auto part = [&](const char* suffix) { return std::string(names.norm).append(suffix); };
  for (std::size_t mask = 0; mask < 3; ++mask) {
    Vector x =
        test::linear(checkpoint, names.dense, test::as_double(rows.at(0, logits.positions[mask])));
    gelu(x);
    normalise(x, vector(part(".weight").c_str()), vector(part(".bias").c_str()), names.epsilon);
    test::expect_near(logits.logits.at(mask),
                      test::linear(vector(names.decoder), vector(names.bias), x));
  }
}

TEST(FillMask, LogitsOfRobertaForMaskedLM) {
  expect_logits({"tiny-11", "lm_head.dense", "lm_head.layer_norm",
                 "roberta.embeddings.word_embeddings.weight", "lm_head.bias", 1e-5});
}

TEST(FillMask, LogitsOfADecoderThatIsNotStored) {
  expect_logits({"tiny-11-no-pooler", "lm_head.dense", "lm_head.layer_norm",
                 "roberta.embeddings.word_embeddings.weight", "lm_head.bias", 1e-5});
}

TEST(FillMask, LogitsOfBertForMaskedLM) {
  expect_logits({"tiny-11-bert-mlm", "cls.predictions.transform.dense",
                 "cls.predictions.transform.LayerNorm", "bert.embeddings.word_embeddings.weight",
                 "cls.predictions.bias", 1e-12});
}

// The generator of ELECTRA has BERT's head under other names.
TEST(FillMask, LogitsOfElectraForMaskedLM) {
  const std::pair<const char*, const char*> names[]{
      {"cls.predictions.transform.dense.", "generator_predictions.dense."},
      {"cls.predictions.transform.LayerNorm.", "generator_predictions.LayerNorm."},
      {"cls.predictions.bias", "generator_lm_head.bias"},
      {"bert.", "electra."}};
  const ModelDirectory directory("tiny-11-bert-mlm");
  directory.edit_json("config.json", [](auto& config) {
    config["model_type"] = "electra";
    config["architectures"] = {"ElectraForMaskedLM"};
    config["embedding_size"] = config["hidden_size"];
  });
  directory.edit_header([&](auto& header) {
    auto renamed = nlohmann::ordered_json::object();
    for (const auto& [key, value] : header.items()) {
      std::string name = key;
      for (const auto& [from, to] : names)
        if (name.starts_with(from)) name.replace(0, std::string_view(from).size(), to);
      renamed[name] = value;
    }
    header = renamed;
  });
  const MaskFiller electra(Model::load(directory.path()));
  const MaskFiller bert(Model::load(fixture("tiny-11-bert-mlm")));
  const std::string text = "이 [MASK] 사람";
  EXPECT_TRUE(
      std::ranges::equal(electra.logits(text).logits.values(), bert.logits(text).logits.values()));
}

// With tie_word_embeddings false the stored decoder counts, which then has to be there.
TEST(FillMask, ADecoderOfItsOwn) {
  const ModelDirectory directory("tiny-11");
  directory.edit_json("config.json", [](auto& config) { config["tie_word_embeddings"] = false; });
  const MaskFiller own(Model::load(directory.path()));
  const std::string text = "이 [MASK] 사람";
  const Tensor logits = own.logits(text).logits;
  EXPECT_TRUE(std::ranges::equal(logits.values(), filler().logits(text).logits.values()));
  directory.edit_header([](auto& header) {
    header["elsewhere"] = header["lm_head.decoder.weight"];
    header.erase("lm_head.decoder.weight");
  });
  EXPECT_EQ(thrown<FormatError>([&] { MaskFiller f(Model::load(directory.path())); }).field(),
            "lm_head.decoder.weight");
}

TEST(FillMask, ATextGetsTheSameAloneAndAmongOthers) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 100; ++i)
    texts.push_back(std::string(i % 13, ' ') + "이 [MASK] 사람" + (i % 3 == 0 ? " [MASK] 전" : "") +
                    std::string(i % 5, '.'));
  const auto together = filler().fill(texts, {.top_k = 3});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto alone = filler().fill(texts[i], {.top_k = 3});
    ASSERT_EQ(alone.size(), together[i].size());
    for (std::size_t mask = 0; mask < alone.size(); ++mask)
      for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_EQ(alone[mask][k].token, together[i][mask][k].token);
        EXPECT_EQ(alone[mask][k].sequence, together[i][mask][k].sequence);
        EXPECT_NEAR(alone[mask][k].score, together[i][mask][k].score, 1e-6 * alone[mask][k].score);
      }
  }
}

TEST(FillMask, WhatCannotBeFilled) {
  const auto error = [](std::string_view text, const FillMaskOptions& options = {}) {
    return thrown<UsageError>([&] { filler().fill(text, options); });
  };
  EXPECT_THAT(error("이 사람").what(), HasSubstr("no mask in the text"));
  EXPECT_EQ(error("이 사람").expected(), "[MASK]");
  EXPECT_THAT(error("").what(), HasSubstr("no mask in the text"));
  std::string text = "[MASK]";
  for (std::size_t i = 0; i < 511; ++i)
    text += " 전";
  EXPECT_THAT(error(text).what(), HasSubstr("too long"));
  EXPECT_EQ(error("[MASK]", {.top_k = 0}).field(), "top_k");
  EXPECT_EQ(error("[MASK]", {.targets = {" "}}).field(), "targets");
  const TextPair pair{"[MASK]", "둘"};
  EXPECT_EQ(thrown<UsageError>([&] { filler().fill(Texts(pair)); }).field(), "text_pair");
}

TEST(FillMask, NoTextsAreNoResults) {
  EXPECT_THAT(filler().fill(std::vector<std::string>{}), IsEmpty());
}

TEST(FillMask, DamagedHeadsAreRefused) {
  EXPECT_EQ(thrown<UsageError>([] { MaskFiller f(Model::load(fixture("tiny-11-qa"))); }).actual(),
            "beginnings and ends of answers");
  for (const char* tensor : {"lm_head.dense.weight", "lm_head.dense.bias",
                             "lm_head.layer_norm.weight", "lm_head.layer_norm.bias"}) {
    const ModelDirectory directory("tiny-11");
    directory.edit_header([&](auto& header) {
      header["elsewhere"] = header[tensor];
      header.erase(tensor);
    });
    EXPECT_EQ(thrown<FormatError>([&] { MaskFiller f(Model::load(directory.path())); }).field(),
              tensor);
  }
  const ModelDirectory no_bias("tiny-11-no-pooler");
  no_bias.edit_header([](auto& header) {
    header["elsewhere"] = header["lm_head.bias"];
    header.erase("lm_head.bias");
  });
  EXPECT_EQ(thrown<FormatError>([&] { MaskFiller f(Model::load(no_bias.path())); }).field(),
            "lm_head.bias");
  const ModelDirectory reshaped("tiny-11");
  reshaped.edit_header([](auto& header) {
    header["lm_head.layer_norm.weight"]["shape"] = std::vector{32, 1};
  });
  EXPECT_EQ(thrown<FormatError>([&] { MaskFiller f(Model::load(reshaped.path())); }).expected(),
            "[32]");
}

TEST(FillMask, ATokenizerWithoutAMask) {
  const ModelDirectory directory("tiny-11");
  directory.remove("tokenizer.json");
  for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"})
    directory.edit_json(file, [](auto& config) { config["mask_token"] = "<nothing>"; });
  EXPECT_EQ(thrown<FormatError>([&] { MaskFiller f(Model::load(directory.path())); }).field(),
            "mask_token");
}

}  // namespace
}  // namespace klue
