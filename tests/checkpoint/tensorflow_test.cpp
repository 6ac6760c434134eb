#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/tensorflow_encoder.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "shared_data.hpp"

namespace klue {
using namespace detail;
namespace {

using ::testing::HasSubstr;

std::vector<float> values(const TensorView& view) {
  std::vector<float> result(view.element_count());
  view.read(0, result);
  return result;
}

TEST(TensorflowNames, BecomeThoseOfHuggingFace) {
  EXPECT_EQ(hugging_face_name("word_embeddings/embeddings"), "embeddings.word_embeddings.weight");
  EXPECT_EQ(hugging_face_name("embeddings/layer_norm/beta:0"), "embeddings.LayerNorm.bias");
  EXPECT_EQ(hugging_face_name("transformer/layer_11/self_attention/attention_output/kernel:0"),
            "encoder.layer.11.attention.output.dense.weight");
  EXPECT_EQ(hugging_face_name("transformer/layer_0/output_layer_norm/gamma"),
            "encoder.layer.0.output.LayerNorm.weight");
  EXPECT_EQ(hugging_face_name("pooler_transform/bias"), "pooler.dense.bias");
}

TEST(TensorflowNames, OfOtherVariablesAreNotTouched) {
  for (const char* name :
       {"", "/", ":0", "kernel", "dense/kernel", "transformer", "transformer/layer_",
        "transformer/layer_/output/kernel", "transformer/layer_1", "transformer/layer_1/",
        "transformer/layer_1/output", "transformer/layer_01/output/kernel",
        "transformer/layer_x/output/kernel", "transformer/layer_1output/kernel",
        "Adam/pooler_transform/bias", "pooler_transform/bias/m", "pooler_transform/moving_mean"})
    EXPECT_EQ(hugging_face_name(name), std::nullopt) << name;
}

/// Which of an encoder's tensors the reader has, all of them equal to those of the safetensors
/// file.
void expect_same_encoder(const Checkpoint& actual, const std::filesystem::path& folder,
                         bool has_pooler = true) {
  const Checkpoint expected = open_checkpoint(folder);
  std::size_t compared = 0;
  for (const auto& [full, view] : expected.tensors()) {
    const std::string name = full.starts_with("roberta.") ? full.substr(8) : full;
    if (full == name || (!has_pooler && name.starts_with("pooler."))) continue;
    const TensorView* found = actual.find(name);
    ASSERT_NE(found, nullptr) << name;
    std::vector<float> wanted = values(view), got = values(*found);
    std::vector<std::size_t> shape = view.shape;
    if (name == "embeddings.position_embeddings.weight") {
      wanted.erase(wanted.begin(), wanted.begin() + 2 * 32);  // the rows that the module lacks
      shape[0] -= 2;
    }
    EXPECT_EQ(found->shape, shape) << name;
    EXPECT_EQ(found->dtype, view.dtype) << name;
    EXPECT_EQ(got, wanted) << name;
    ++compared;
  }
  EXPECT_EQ(compared, has_pooler ? 39u : 37u);
}

void expect_tiny_shape(const Checkpoint& checkpoint, bool has_pooler = true) {
  ASSERT_TRUE(checkpoint.encoder_shape().has_value());
  const EncoderShape& shape = *checkpoint.encoder_shape();
  EXPECT_EQ(shape.layers, 2u);
  EXPECT_EQ(shape.hidden, 32u);
  EXPECT_EQ(shape.heads, 4u);
  EXPECT_EQ(shape.intermediate, 64u);
  EXPECT_EQ(shape.vocabulary, 1200u);
  EXPECT_EQ(shape.positions, 512u);
  EXPECT_EQ(shape.token_types, 1u);
  EXPECT_EQ(checkpoint.find("pooler.dense.weight") != nullptr, has_pooler);
}

TEST(TensorflowCheckpoint, IsTheSameModelAsItsSafetensors) {
  const Checkpoint checkpoint = open_checkpoint(KLUE_FIXTURE_DIR "/tiny-11-saved-model");
  EXPECT_EQ(checkpoint.format(), "TensorFlow checkpoint");
  expect_same_encoder(checkpoint, KLUE_FIXTURE_DIR "/tiny-11");
  expect_tiny_shape(checkpoint);
}

TEST(TensorflowCheckpoint, ReadsSeveralDataFilesOfLowPrecision) {
  const Checkpoint checkpoint = open_checkpoint(KLUE_FIXTURE_DIR "/tiny-11-saved-model-bf16");
  expect_same_encoder(checkpoint, KLUE_FIXTURE_DIR "/tiny-11-bf16");
  expect_tiny_shape(checkpoint);
}

#if KLUE_WITH_SNAPPY
TEST(TensorflowCheckpoint, ReadsACompressedIndex) {
  expect_same_encoder(open_checkpoint(KLUE_FIXTURE_DIR "/tiny-11-saved-model-snappy"),
                      KLUE_FIXTURE_DIR "/tiny-11");
}
#endif

TEST(TensorflowCheckpoint, ReadsAModelThatWasFineTunedAndSavedAgain) {
  const Checkpoint checkpoint = open_checkpoint(KLUE_FIXTURE_DIR "/tiny-11-fine-tuned");
  expect_same_encoder(checkpoint, KLUE_FIXTURE_DIR "/tiny-11-tokcls", false);
  expect_tiny_shape(checkpoint, false);
  const Checkpoint expected = open_checkpoint(KLUE_FIXTURE_DIR "/tiny-11-tokcls");
  for (const char* name : {"classifier.weight", "classifier.bias"}) {
    ASSERT_NE(checkpoint.find(name), nullptr);
    EXPECT_EQ(checkpoint.find(name)->shape, expected.find(name)->shape);
    EXPECT_EQ(values(*checkpoint.find(name)), values(*expected.find(name)));
  }
  EXPECT_NE(checkpoint.find("save_counter"), nullptr);
}

TEST(TensorflowCheckpoint, NamesAMissingDataFile) {
  const test::ScratchDirectory scratch;
  const auto index = scratch.write(
      "variables/variables.index",
      test::read_bytes(KLUE_FIXTURE_DIR "/tiny-11-saved-model-bf16/variables/variables.index"));
  try {
    open_checkpoint(scratch.path());
    FAIL();
  } catch (const IoError& error) {
    EXPECT_THAT(error.file(), HasSubstr("variables.data-0000"));
    EXPECT_THAT(error.file(), HasSubstr("-of-00003"));
  }
}

TEST(TensorflowCheckpoint, SaysThatThereIsNoEncoder) {
  KLUE_SHARED_DATA_OR_SKIP(folder, "data/tf_bundles/saved_model_half_plus_three");
  EXPECT_THROW(open_checkpoint(folder), UnsupportedError);
}

// --------------------------------------------------------------------------- bundles made by hand

TensorView zeros(std::vector<std::size_t> shape) {
  static const std::vector<std::byte> bytes(4096);
  std::size_t count = 1;
  for (const std::size_t extent : shape)
    count *= extent;
  return {DType::f32, std::move(shape), std::span(bytes).first(4 * count)};
}

/// What must be there for a shape, with hidden 4, 2 heads, intermediate 6.
TensorBundle small_bundle() {
  TensorBundle bundle;
  bundle.tensors = {{"word_embeddings/embeddings", zeros({8, 4})},
                    {"position_embedding/embeddings", zeros({5, 4})},
                    {"type_embeddings/embeddings", zeros({1, 4})}};
  // One part of a path may not hold "/", so these names are only found through the object graph.
  bundle.tensors.emplace("v/1", zeros({4, 2, 2}));
  bundle.full_names.emplace("v/1", "transformer/layer_0/self_attention/query/kernel:0");
  bundle.tensors.emplace("v/2", zeros({4, 6}));
  bundle.full_names.emplace("v/2", "transformer/layer_0/intermediate/kernel:0");
  for (const char* name : {"word_embeddings/embeddings", "position_embedding/embeddings",
                           "type_embeddings/embeddings"})
    bundle.full_names.emplace(name, name);
  return bundle;
}

void expect_refused(const TensorBundle& bundle, const std::string& message) {
  try {
    to_hugging_face("v.index", bundle);
    ADD_FAILURE() << "accepted; expected an error that says: " << message;
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(TensorflowEncoder, TurnsKernelsByTheirStrides) {
  TensorBundle bundle = small_bundle();
  bundle.tensors.emplace("v/3", zeros({2, 2, 4}));
  bundle.full_names.emplace("v/3", "transformer/layer_0/self_attention/attention_output/kernel");
  bundle.tensors.emplace("v/4", zeros({2, 2}));
  bundle.full_names.emplace("v/4", "transformer/layer_0/self_attention/query/bias");
  const TensorflowEncoder encoder = to_hugging_face("v.index", bundle);
  const TensorView& intermediate = encoder.tensors.at("encoder.layer.0.intermediate.dense.weight");
  EXPECT_EQ(intermediate.shape, (std::vector<std::size_t>{6, 4}));
  EXPECT_EQ(intermediate.strides, (std::vector<std::size_t>{1, 6}));
  EXPECT_EQ(encoder.tensors.at("encoder.layer.0.attention.self.query.weight").shape,
            (std::vector<std::size_t>{4, 4}));
  EXPECT_EQ(encoder.tensors.at("encoder.layer.0.attention.output.dense.weight").shape,
            (std::vector<std::size_t>{4, 4}));
  EXPECT_EQ(encoder.tensors.at("encoder.layer.0.attention.self.query.bias").shape,
            std::vector<std::size_t>{4});
  EXPECT_EQ(encoder.shape.heads, 2u);
  EXPECT_EQ(encoder.shape.positions, 5u);
}

TEST(TensorflowEncoder, RefusesIncompleteEncoders) {
  for (const char* missing : {"position_embedding/embeddings", "type_embeddings/embeddings"}) {
    TensorBundle bundle = small_bundle();
    bundle.tensors.erase(missing);
    expect_refused(bundle, "lacks a variable");
  }
  TensorBundle bundle = small_bundle();
  bundle.tensors.erase("v/2");
  expect_refused(bundle, "lacks a variable");
  bundle = small_bundle();
  bundle.tensors.erase("v/1");
  expect_refused(bundle, "lacks a layer");
  bundle = small_bundle();
  bundle.full_names.at("v/1") = "transformer/layer_7/self_attention/query/kernel";
  expect_refused(bundle, "lacks a layer");
  bundle = small_bundle();
  bundle.tensors.at("v/1") = zeros({4, 4});
  expect_refused(bundle, "number of attention heads");
}

TEST(TensorflowEncoder, RefusesImpossibleShapes) {
  TensorBundle bundle = small_bundle();
  bundle.tensors.at("v/2") = zeros({24});
  expect_refused(bundle, "must be a matrix");
  bundle = small_bundle();
  bundle.tensors.at("word_embeddings/embeddings") = zeros({32});
  expect_refused(bundle, "must be a matrix");
  bundle = small_bundle();
  bundle.tensors.emplace("v/5", zeros({4, 6}));
  bundle.full_names.emplace("v/5", "transformer/layer_0/intermediate/kernel");
  expect_refused(bundle, "two variables are the same part");
}

TEST(TensorflowEncoder, LeavesAloneWhatIsNoPlainClassifier) {
  const auto classifier_of = [](const TensorBundle& bundle) {
    return to_hugging_face("v.index", bundle).tensors.contains("classifier.weight");
  };
  const std::string value = "/.ATTRIBUTES/VARIABLE_VALUE";
  TensorBundle bundle = small_bundle();
  EXPECT_FALSE(classifier_of(bundle));
  bundle.tensors.emplace("layer_with_weights-1/kernel" + value, zeros({4, 3}));
  EXPECT_FALSE(classifier_of(bundle));  // no bias
  bundle.tensors.emplace("layer_with_weights-1/bias" + value, zeros({3}));
  EXPECT_TRUE(classifier_of(bundle));
  bundle.tensors.at("layer_with_weights-1/kernel" + value) = zeros({5, 3});
  EXPECT_FALSE(classifier_of(bundle));  // not on top of the encoder
  bundle.tensors.at("layer_with_weights-1/kernel" + value) = zeros({4, 3});
  bundle.tensors.emplace("layer_with_weights-2/kernel" + value, zeros({3, 2}));
  EXPECT_FALSE(classifier_of(bundle));  // two of them
}

// Keys without the ending that TensorFlow 2 gives them: the kernel was looked for under the ending.
TEST(TensorflowEncoder, FindsAClassifierUnderPlainKeys) {
  TensorBundle bundle = small_bundle();
  bundle.tensors.emplace("layer_with_weights-1/kernel", zeros({4, 3}));
  const auto tensors = [&] { return to_hugging_face("v.index", bundle).tensors; };
  EXPECT_FALSE(tensors().contains("classifier.weight"));
  bundle.tensors.emplace("layer_with_weights-1/bias", zeros({3}));
  EXPECT_TRUE(tensors().contains("classifier.weight"));
  EXPECT_TRUE(tensors().contains("classifier.bias"));
}

TEST(TensorflowEncoder, KnowsTheKeysOfARealFineTunedModel) {
  KLUE_SHARED_DATA_OR_SKIP(list, "data/tf_bundles/finetuned_small_bert.keys.tsv");
  TensorBundle bundle;
  static const std::vector<std::byte> bytes(30522 * 256 * 4);
  std::ifstream file(list);
  for (std::string line; std::getline(file, line);) {
    std::istringstream columns(line);
    std::string key, dtype, shape;
    if (line.starts_with('#') || !std::getline(columns, key, '\t') ||
        !std::getline(columns, dtype, '\t') || !std::getline(columns, shape) || dtype != "1")
      continue;
    for (char& c : shape)
      if (c == '[' || c == ']' || c == ',') c = ' ';
    std::istringstream numbers(shape);
    TensorView view{DType::f32, {}, {}};
    std::size_t count = 1;
    for (std::size_t extent; numbers >> extent; count *= extent)
      view.shape.push_back(extent);
    view.bytes = std::span(bytes).first(4 * count);
    bundle.tensors.emplace(key, view);
  }
  const TensorflowEncoder encoder = to_hugging_face(list, bundle);
  EXPECT_EQ(encoder.shape.layers, 2u);
  EXPECT_EQ(encoder.shape.hidden, 256u);
  EXPECT_EQ(encoder.shape.heads, 4u);
  EXPECT_EQ(encoder.shape.intermediate, 1024u);
  EXPECT_EQ(encoder.shape.vocabulary, 30522u);
  EXPECT_EQ(encoder.shape.token_types, 2u);
  EXPECT_TRUE(encoder.tensors.contains("pooler.dense.weight"));
  std::size_t mapped = 0;
  for (const auto& [name, view] : encoder.tensors)
    mapped += name.starts_with("embeddings.") || name.starts_with("encoder.") ||
              name.starts_with("pooler.");
  EXPECT_EQ(mapped, 5u + 16 * 2 + 2);
  EXPECT_EQ(encoder.tensors.at("classifier.weight").shape, (std::vector<std::size_t>{1, 256}));
}

}  // namespace
}  // namespace klue
