// Classifiers on top of an encoder, against their definition computed in float64 from the encoder's
// own outputs.

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"
#include "near.hpp"
#include "npy.hpp"
#include "shared_data.hpp"

namespace klue {
namespace {

using test::as_double;
using test::expect_near;
using test::fixture;
using test::ModelDirectory;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kClassified{"이 다는 사람", "", "위치가 좋은 숙소입니다.", "전"};

using Vector = std::vector<double>;

// W · x + b, by the definition.
Vector linear(const Checkpoint& checkpoint, const std::string& name, const Vector& x) {
  const TensorView& weight = *checkpoint.find(name + ".weight");
  std::vector<float> w(weight.element_count()), b(weight.shape[0]);
  weight.read(0, w);
  checkpoint.find(name + ".bias")->read(0, b);
  Vector y(b.begin(), b.end());
  for (std::size_t out = 0; out < y.size(); ++out)
    for (std::size_t in = 0; in < x.size(); ++in)
      y[out] += static_cast<double>(w[out * x.size() + in]) * x[in];
  return y;
}

TEST(Classify, RunsTheHeadOfRobertaForSequenceClassification) {
  const Model model = Model::load(fixture("tiny-11-seqcls"));
  ASSERT_TRUE(model.info().head.has_value());
  EXPECT_EQ(model.info().head->description, "classifier on the first token");
  EXPECT_EQ(model.info().head->labels, 3u);
  EXPECT_THAT(model.info().head->label_names, ElementsAre("LABEL_0", "LABEL_1", "LABEL_2"));
  const Checkpoint checkpoint = open_checkpoint(fixture("tiny-11-seqcls"));
  const Tensor logits = model.classify(kClassified);
  ASSERT_THAT(logits.shape(), ElementsAre(kClassified.size(), 3));
  const EncoderOutputs out = model.encode(kClassified);
  for (std::size_t i = 0; i < kClassified.size(); ++i) {
    Vector inner = linear(checkpoint, "classifier.dense", as_double(out.sequence_output.at(i, 0)));
    for (double& x : inner)
      x = std::tanh(x);
    expect_near(logits.at(i), linear(checkpoint, "classifier.out_proj", inner));
  }
}

TEST(Classify, RunsTheHeadOfBertForSequenceClassification) {
  const Model model = Model::load(fixture("tiny-11-bert-seqcls"));
  ASSERT_TRUE(model.info().head.has_value());
  EXPECT_EQ(model.info().head->description, "classifier on the pooler's output");
  const Checkpoint checkpoint = open_checkpoint(fixture("tiny-11-bert-seqcls"));
  const std::vector<TextPair> pairs{{"이 다는", "사람"}, {"전", "대 사람"}};
  const Tensor logits = model.classify(pairs), pooled = *model.encode(pairs).pooled_output;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    expect_near(logits.at(i), linear(checkpoint, "classifier", as_double(pooled.at(i))));
}

TEST(Classify, RunsTheDenseLayerOfAFineTunedSavedModel) {
  const Model model = Model::load(fixture("tiny-11-fine-tuned-pooler"));
  ASSERT_TRUE(model.info().head.has_value());
  EXPECT_EQ(model.info().head->labels, 13u);
  EXPECT_THAT(model.info().head->label_names, IsEmpty());
  // The same numbers as the safetensors of the same seed, which store the layer the other way
  // round.
  const Checkpoint checkpoint = open_checkpoint(fixture("tiny-11-tokcls"));
  const Tensor logits = model.classify(kClassified),
               pooled = *model.encode(kClassified).pooled_output;
  for (std::size_t i = 0; i < kClassified.size(); ++i)
    expect_near(logits.at(i), linear(checkpoint, "classifier", as_double(pooled.at(i))));
}

// Hugging Face's own logits, goldens/encoder_tiny.
TEST(Classify, GivesTheLogitsOfTheOriginal) {
  KLUE_SHARED_DATA_OR_SKIP(manifest, "goldens/encoder_tiny/manifest.json");
  const Model model = Model::load(fixture("tiny-11-seqcls"));
  std::size_t compared = 0;
  const auto golden = nlohmann::json::parse(std::ifstream(manifest));
  for (const auto& c : golden["cases"]) {
    if (!c.contains("text") || c["text"].is_null()) continue;
    SCOPED_TRACE(c["name"]);
    std::vector<std::string> texts;
    if (c["text"].is_array())
      texts = c["text"].get<std::vector<std::string>>();
    else
      texts.push_back(c["text"].get<std::string>());
    const std::string pair = c.value("text_pair", "");
    std::vector<TextPair> inputs;
    for (const std::string& text : texts)
      inputs.push_back({text});
    if (!pair.empty()) inputs[0].text_pair = pair;
    const test::NpyArray theirs =
        test::read_npy(manifest.parent_path() / c["files"]["seqcls_logits"].get<std::string>());
    expect_near(model.classify(inputs).values(), theirs.values);
    ++compared;
  }
  EXPECT_GE(compared, 5u);
}

TEST(Classify, GivesATextTheSameBitsAloneAndAmongOthers) {
  const Model model = Model::load(fixture("tiny-11-seqcls"), {.batch_tokens = 8});
  const Tensor together = model.classify(kClassified);
  for (std::size_t i = 0; i < kClassified.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(model.classify({kClassified[i]}).values(), together.at(i)));
}

TEST(Classify, LengthsLimit) {
  const Model model = Model::load(fixture("tiny-11-seqcls"));
  const std::string text = "사람 사람 사람 사람 사람 사람";
  const Tensor cut = model.classify({text}, {.max_length = 4});
  EXPECT_FALSE(std::ranges::equal(cut.values(), model.classify({text}).values()));
  EXPECT_TRUE(std::ranges::equal(
      cut.values(), model.classify({text}, {.max_length = 9, .seq_length = 4}).values()));
  EXPECT_EQ(thrown<UsageError>([&] { model.classify({text}, {.max_length = 513}); }).field(),
            "max_length");
}

TEST(Classify, NoTextsAreNoRows) {
  EXPECT_THAT(Model::load(fixture("tiny-11-seqcls")).classify(std::vector<std::string>{}).shape(),
              ElementsAre(0, 3));
}

// Heads that classify tokens or fill masks have other outputs: they have tasks of their own.
TEST(Classify, OtherHeadsAreNamed) {
  const struct {
    const char* fixture;
    const char* description;
    std::vector<Task> tasks;
  } cases[]{{"tiny-11", "masked language model", {Task::fill_mask}},
            {"tiny-11-tokcls", "classifier of tokens", {Task::tag}},
            {"tiny-11-qa", "beginnings and ends of answers", {Task::answer}},
            {"tiny-11-fine-tuned", "not run: layer_with_weights-1", {}}};  // no pooler to stand on
  for (const auto& c : cases) {
    SCOPED_TRACE(c.fixture);
    const Model model = Model::load(fixture(c.fixture));
    ASSERT_TRUE(model.info().head.has_value());
    EXPECT_EQ(model.info().head->description, c.description);
    EXPECT_EQ(model.info().head->tasks, c.tasks);
    EXPECT_EQ(model.info().head->labels, 0u);
    const auto error = thrown<UsageError>([&] { model.classify(kClassified); });
    EXPECT_EQ(error.actual(), c.description);
  }
  EXPECT_FALSE(Model::load(fixture("tiny-11-bare")).info().head.has_value());
}

TEST(Classify, LabelsThatAreNotThoseOfTheLayerAreLeftOut) {
  for (const char* id2label : {R"({"0": "가"})", R"({"0": "가", "1": "나", "3": "다"})", R"([])",
                               R"({"0": 1, "1": 2, "2": 3})"}) {
    const ModelDirectory directory("tiny-11-seqcls");
    directory.edit_json("config.json", [&](auto& config) {
      config["id2label"] = nlohmann::ordered_json::parse(id2label);
    });
    EXPECT_THAT(Model::load(directory.path()).info().head->label_names, IsEmpty()) << id2label;
  }
}

TEST(Classify, DamagedHeadsAreRefused) {
  const struct {
    const char* tensor;
    std::vector<std::size_t> shape;
    const char* expected;
  } cases[]{{"classifier.out_proj.weight", {96}, "[labels, 32]"},
            {"classifier.out_proj.weight", {32, 3}, "[32, 32]"},
            {"classifier.dense.weight", {1024}, "[32, 32]"},
            {"classifier.out_proj.bias", {3, 1}, "[3]"}};
  for (const auto& c : cases) {
    const ModelDirectory directory("tiny-11-seqcls");
    directory.edit_header([&](auto& header) { header[c.tensor]["shape"] = c.shape; });
    const auto error = thrown<FormatError>([&] { Model::load(directory.path()); });
    EXPECT_EQ(error.field(), c.tensor);
    EXPECT_EQ(error.expected(), c.expected);
  }
  const ModelDirectory directory("tiny-11-seqcls");
  directory.edit_header([](auto& header) {
    header["elsewhere"] = header["classifier.dense.bias"];
    header.erase("classifier.dense.bias");
  });
  EXPECT_THAT(thrown<FormatError>([&] { Model::load(directory.path()); }).what(),
              HasSubstr("classifier.dense.bias: tensor missing"));
}

}  // namespace
}  // namespace klue
