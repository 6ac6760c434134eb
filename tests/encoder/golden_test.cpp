// The encoder against Hugging Face's own outputs: goldens/encoder_*, the float64 run where it is
// stored. The models are made by tests/fixtures/make_model.py as the manifests say.

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/encoder/encoder.hpp>

#include "npy.hpp"
#include "shared_data.hpp"

namespace klue {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Encoder load_encoder(const fs::path& directory, std::size_t threads = 1,
                     Engine engine = Engine::automatic) {
  return Encoder(read_encoder_config(directory / "config.json"), open_checkpoint(directory),
                 std::make_shared<ThreadPool>(threads), {.engine = engine});
}

// The inputs of a case, padded rows and all, as its manifest gives them.
EncoderInputs inputs_of(const json& test_case) {
  EncoderInputs inputs;
  inputs.batch = test_case["input_ids"].size();
  inputs.seq_length = test_case["input_ids"][0].size();
  for (const json& row : test_case["input_ids"])
    for (const json& id : row)
      inputs.input_word_ids.push_back(id);
  for (const json& row : test_case["attention_mask"])
    for (const json& bit : row)
      inputs.input_mask.push_back(bit);
  inputs.input_type_ids.assign(inputs.input_word_ids.size(), 0);
  return inputs;
}

class Golden {
 public:
  explicit Golden(std::string name)
      : directory_(test::shared_data(fs::path("goldens") / name).value_or("")) {}

  bool available() const { return fs::exists(directory_ / "manifest.json"); }

  json cases() const { return json::parse(std::ifstream(directory_ / "manifest.json"))["cases"]; }

  /// The float64 values where they are stored, else the float32 ones; empty where neither is.
  test::NpyArray array(const json& test_case, const std::string& output) const {
    const json& files = test_case["files"];
    for (const std::string& key : {output + "_f64", output})
      if (files.contains(key)) return test::read_npy(directory_ / files[key].get<std::string>());
    return {};
  }

 private:
  fs::path directory_;
};

double largest_difference(std::span<const float> ours, const double* theirs) {
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(static_cast<double>(ours[i]) - theirs[i]);
    if (!(difference <= largest)) largest = difference;  // NaN must not hide
  }
  return largest;
}

// Compares [batch, seq, hidden] where the mask is 1; `first` tokens of each row are stored.
double difference_on_tokens(const EncoderInputs& inputs, const Tensor& ours,
                            const test::NpyArray& theirs) {
  const std::size_t stored = theirs.shape[1], hidden = theirs.shape[2];
  double largest = 0;
  for (std::size_t b = 0; b < inputs.batch; ++b)
    for (std::size_t t = 0; t < stored; ++t)
      if (inputs.mask(b)[t] == 1)
        largest = std::max(
            largest, largest_difference(ours.at(b, t), &theirs.values[(b * stored + t) * hidden]));
  return largest;
}

struct TinyModel {
  const char* golden;
  const char* fixture;
  Engine engine;

  // GoogleTest would print the bytes, those between the members too, which nobody has written.
  friend void PrintTo(const TinyModel& model, std::ostream* out) {
    *out << model.golden << ", " << engine_name(model.engine);
  }
};

std::vector<TinyModel> tiny_models() {
  std::vector<TinyModel> models;
  for (const Engine engine : available_engines())
    models.insert(models.end(), {{"encoder_tiny", "tiny-11", engine},
                                 {"encoder_tiny_f16", "tiny-11-f16", engine},
                                 {"encoder_tiny_bf16", "tiny-11-bf16", engine}});
  return models;
}

class TinyGoldens : public testing::TestWithParam<TinyModel> {};

TEST_P(TinyGoldens, AllOutputsAgree) {
  const Golden golden(GetParam().golden);
  if (!golden.available()) GTEST_SKIP() << "needs ../shared/goldens/" << GetParam().golden;
  const Encoder encoder =
      load_encoder(fs::path(KLUE_FIXTURE_DIR) / GetParam().fixture, 1, GetParam().engine);
  constexpr double kTolerance = 2e-5;
  for (const json& c : golden.cases()) {
    SCOPED_TRACE(c["name"]);
    const EncoderInputs inputs = inputs_of(c);
    const EncoderOutputs outputs = encoder(inputs, {.encoder_outputs = true});
    EXPECT_LT(
        difference_on_tokens(inputs, outputs.sequence_output, golden.array(c, "sequence_output")),
        kTolerance);
    ASSERT_TRUE(outputs.pooled_output.has_value());
    EXPECT_LT(largest_difference(outputs.pooled_output->values(),
                                 golden.array(c, "pooled_output").values.data()),
              kTolerance);

    // [layers + 1, batch, seq, hidden], the embeddings first.
    const test::NpyArray states = golden.array(c, "hidden_states");
    if (states.values.empty()) continue;
    ASSERT_EQ(states.shape[0], outputs.encoder_outputs.size() + 1);
    const std::size_t layer_size = outputs.sequence_output.size();
    for (std::size_t layer = 0; layer < outputs.encoder_outputs.size(); ++layer) {
      SCOPED_TRACE("layer " + std::to_string(layer));
      const double* begin = states.values.data() + (layer + 1) * layer_size;
      const test::NpyArray theirs{{states.shape.begin() + 1, states.shape.end()},
                                  {begin, begin + layer_size}};
      EXPECT_LT(difference_on_tokens(inputs, outputs.encoder_outputs[layer], theirs), kTolerance);
    }
  }
}

TEST_P(TinyGoldens, PaddedRowsAreTheReferencesOnRequest) {
  const Golden golden(GetParam().golden);
  if (!golden.available()) GTEST_SKIP() << "needs ../shared/goldens/" << GetParam().golden;
  const Encoder encoder = load_encoder(fs::path(KLUE_FIXTURE_DIR) / GetParam().fixture);
  for (const json& c : golden.cases()) {
    SCOPED_TRACE(c["name"]);
    const EncoderInputs inputs = inputs_of(c);
    const Tensor ours = encoder(inputs, {.padded_rows = PaddedRows::reference}).sequence_output;
    const test::NpyArray theirs = golden.array(c, "sequence_output");
    EXPECT_LT(largest_difference(ours.values(), theirs.values.data()), 2e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(, TinyGoldens, testing::ValuesIn(tiny_models()), [](const auto& test) {
  return std::string(test.param.golden) + "_" + std::string(engine_name(test.param.engine));
});

class BaseGoldens : public testing::TestWithParam<Engine> {};

// The base model has 442 MB of weights, which the build makes once where ../shared is there.
TEST_P(BaseGoldens, AllOutputsAgree) {
  const Golden golden("encoder_base");
  const fs::path model = fs::path(KLUE_FIXTURE_DIR) / "base-21";
  if (!golden.available() || !fs::exists(model / "config.json"))
    GTEST_SKIP() << "needs ../shared and the fixture base-21 made from it";
  const Encoder encoder = load_encoder(model, 2, GetParam());
  constexpr double kTolerance = 3e-4;
  for (const json& c : golden.cases()) {
    SCOPED_TRACE(c["name"]);
    const EncoderInputs inputs = inputs_of(c);
    const EncoderOutputs outputs = encoder(inputs, {.encoder_outputs = true});
    EXPECT_LT(difference_on_tokens(inputs, outputs.sequence_output,
                                   golden.array(c, "sequence_output_first8")),
              kTolerance);
    EXPECT_LT(largest_difference(outputs.pooled_output->values(),
                                 golden.array(c, "pooled_output").values.data()),
              kTolerance);

    // [layers + 1, batch, hidden]
    const test::NpyArray first = golden.array(c, "first_token_all_layers");
    const test::NpyArray last = golden.array(c, "last_real_token");
    const std::size_t hidden = encoder.config().hidden_size;
    ASSERT_EQ(first.values.size(), 13 * inputs.batch * hidden);
    ASSERT_EQ(last.values.size(), inputs.batch * hidden);
    for (std::size_t b = 0; b < inputs.batch; ++b) {
      for (std::size_t layer = 0; layer < 12; ++layer)
        EXPECT_LT(largest_difference(outputs.encoder_outputs[layer].at(b, 0),
                                     &first.values[((layer + 1) * inputs.batch + b) * hidden]),
                  kTolerance);
      const auto mask = inputs.mask(b);
      const auto tokens = static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 1));
      EXPECT_LT(
          largest_difference(outputs.sequence_output.at(b, tokens - 1), &last.values[b * hidden]),
          kTolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, BaseGoldens, testing::ValuesIn(available_engines()),
                         [](const auto& test) { return std::string(engine_name(test.param)); });

}  // namespace
}  // namespace klue
