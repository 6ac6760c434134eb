// ELECTRA's encoder is BERT's under another prefix, with a projection where its tables are narrower
// (or wider) than its layers.

#include <cmath>
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

const std::vector<std::string> kElectraTexts{"이 다는 사람", "",
                                             "위치가 좋은 숙소입니다. 다시 오고 싶어요!"};

// tiny-11-bert as an ELECTRA model, which has no pooler.
std::vector<test::FloatTensor> electra_tensors() {
  std::vector<test::FloatTensor> tensors = test::tensors_of(fixture("tiny-11-bert"));
  std::erase_if(tensors, [](const auto& tensor) { return tensor.name.starts_with("bert.pooler"); });
  for (test::FloatTensor& tensor : tensors)
    tensor.name.replace(0, 4, "electra");
  return tensors;
}

void make_electra(const ModelDirectory& directory, const std::vector<test::FloatTensor>& tensors,
                  std::size_t embedding_size) {
  directory.write("model.safetensors", test::safetensors_of(tensors));
  directory.edit_json("config.json", [&](auto& config) {
    config["model_type"] = "electra";
    config["embedding_size"] = embedding_size;
  });
}

void expect_like_bert(const Model& model) {
  const Model bert = Model::load(fixture("tiny-11-bert"));
  const EncoderOutputs ours = model.encode(kElectraTexts), theirs = bert.encode(kElectraTexts);
  EXPECT_FALSE(ours.pooled_output.has_value());
  ASSERT_EQ(ours.sequence_output.shape(), theirs.sequence_output.shape());
  for (std::size_t i = 0; i < ours.sequence_output.size(); ++i)
    ASSERT_NEAR(ours.sequence_output.values()[i], theirs.sequence_output.values()[i], 2e-5f);
}

TEST(Electra, IsBertUnderAnotherName) {
  const ModelDirectory directory("tiny-11-bert");
  make_electra(directory, electra_tensors(), 32);
  expect_like_bert(Model::load(directory.path()));
}

// Tables that hold every number twice: a layer norm over them is the same twice, and the mean of
// the two is the narrow table's.
std::vector<test::FloatTensor> with_wide_tables() {
  std::vector<test::FloatTensor> tensors = electra_tensors();
  for (test::FloatTensor& tensor : tensors) {
    if (!tensor.name.starts_with("electra.embeddings.")) continue;
    std::vector<float> twice;
    for (std::size_t row = 0; row < tensor.values.size(); row += 32)
      for (int copy = 0; copy < 2; ++copy)
        twice.insert(twice.end(), tensor.values.begin() + static_cast<std::ptrdiff_t>(row),
                     tensor.values.begin() + static_cast<std::ptrdiff_t>(row) + 32);
    tensor.values = std::move(twice);
    tensor.shape.back() *= 2;
  }
  test::FloatTensor weight{
      "electra.embeddings_project.weight", {32, 64}, std::vector<float>(32 * 64)};
  for (std::size_t i = 0; i < 32; ++i)
    weight.values[i * 64 + i] = weight.values[i * 64 + 32 + i] = 0.5f;
  tensors.push_back(std::move(weight));
  tensors.push_back({"electra.embeddings_project.bias", {32}, std::vector<float>(32)});
  return tensors;
}

TEST(Electra, ProjectsItsEmbeddings) {
  const ModelDirectory directory("tiny-11-bert");
  make_electra(directory, with_wide_tables(), 64);
  const Model model = Model::load(directory.path());
  expect_like_bert(model);
  EXPECT_FALSE(model.info().head.has_value());
}

TEST(Electra, NeedsItsProjection) {
  const ModelDirectory directory("tiny-11-bert");
  std::vector<test::FloatTensor> tensors = with_wide_tables();
  tensors.erase(tensors.end() - 2);
  make_electra(directory, tensors, 64);
  EXPECT_EQ(test::thrown<FormatError>([&] { Model::load(directory.path()); }).field(),
            "electra.embeddings_project.weight");
}

// ElectraClassificationHead has GELU where RoBERTa's has tanh.
TEST(Electra, ClassifiesWithGelu) {
  const ModelDirectory directory("tiny-11-bert");
  std::vector<test::FloatTensor> tensors = electra_tensors();
  const auto numbers = [](std::size_t count, float step) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = step * (static_cast<float>(i * 7 % 13) - 6);
    return values;
  };
  const std::vector<float> inner = numbers(32 * 32, 0.05f), inner_bias = numbers(32, 0.1f),
                           outer = numbers(3 * 32, 0.1f), outer_bias = numbers(3, 0.2f);
  tensors.push_back({"classifier.dense.weight", {32, 32}, inner});
  tensors.push_back({"classifier.dense.bias", {32}, inner_bias});
  tensors.push_back({"classifier.out_proj.weight", {3, 32}, outer});
  tensors.push_back({"classifier.out_proj.bias", {3}, outer_bias});
  make_electra(directory, tensors, 32);
  const Model model = Model::load(directory.path());
  const Tensor first = model.embed(kElectraTexts, {.pooling = Pooling::cls});
  const Tensor logits = model.classify(kElectraTexts);
  for (std::size_t text = 0; text < kElectraTexts.size(); ++text)
    for (std::size_t label = 0; label < 3; ++label) {
      double sum = outer_bias[label];
      for (std::size_t i = 0; i < 32; ++i) {
        double x = inner_bias[i];
        for (std::size_t j = 0; j < 32; ++j)
          x += double{inner[i * 32 + j]} * double{first.at(text)[j]};
        sum += double{outer[label * 32 + i]} * x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
      }
      EXPECT_NEAR(static_cast<double>(logits.at(text)[label]), sum, 1e-4);
    }
}

}  // namespace
}  // namespace klue
