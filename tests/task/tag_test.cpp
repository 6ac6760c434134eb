#include <algorithm>
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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kSentences{"이 다는 사람", "", "위치가 좋은 숙소입니다.", "전"};

const Tagger& tagger() {
  static const Tagger value(Model::load(fixture("tiny-11-tokcls"), {.batch_tokens = 16}));
  return value;
}

std::string long_text() {
  std::string text;
  for (std::size_t i = 0; i < 400; ++i)
    text.append(kSentences[i % kSentences.size()]).append(" ");
  return text;
}

bool equal(const Entity& a, const Entity& b) {
  return a.label == b.label && a.score == b.score && a.word == b.word && a.offset == b.offset &&
         a.code_points == b.code_points;
}

TEST(Tag, LogitsAreTheLayerOnTheEncodersOutputs) {
  const Checkpoint checkpoint = open_checkpoint(fixture("tiny-11-tokcls"));
  for (const std::string& text : kSentences) {
    const auto windows = tagger().logits(text);
    ASSERT_EQ(windows.size(), 1u);
    const Tensor rows = tagger().model().encode(text).sequence_output;
    ASSERT_THAT(windows[0].logits.shape(), ElementsAre(rows.shape()[1], 13));
    for (std::size_t t = 0; t < rows.shape()[1]; ++t)
      test::expect_near(windows[0].logits.at(t),
                        test::linear(checkpoint, "classifier", test::as_double(rows.at(0, t))));
  }
}

TEST(Tag, ATextGetsTheSameAloneAndAmongOthers) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 40; ++i)
    texts.push_back(kSentences[i % 4] + kSentences[(i + i / 4) % 4]);
  for (const Aggregation aggregation : {Aggregation::none, Aggregation::average}) {
    const TagOptions options{.aggregation = aggregation, .ignore_labels = {}};
    const auto together = tagger().tag(texts, options);
    for (std::size_t i = 0; i < texts.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(tagger().tag(texts[i], options), together[i], equal));
  }
}

TEST(Tag, NoTextsAreNoResults) {
  EXPECT_THAT(tagger().tag(std::vector<std::string>{}), IsEmpty());
  EXPECT_THAT(tagger().tag(""), IsEmpty());
}

TEST(Tag, NamesOfLabels) {
  EXPECT_EQ(tagger().labels().front(), "LABEL_0");
  const ModelDirectory directory("tiny-11-tokcls");
  directory.edit_json("config.json", [](auto& config) { config.erase("id2label"); });
  EXPECT_EQ(Tagger(Model::load(directory.path())).labels(), tagger().labels());
}

// ------------------------------------------------------------------------------- long texts

// Nothing is lost: every token of the text is in a window.
TEST(Tag, AnUncutTextIsReadToItsEnd) {
  const std::string text = long_text();
  const auto windows = tagger().logits(text);
  ASSERT_GT(windows.size(), 2u);
  std::vector<Offset> seen;
  for (const TokenLogits& window : windows)
    for (std::size_t i = 0; i < window.encoding.size(); ++i)
      if (window.encoding.special_tokens_mask[i] == 0) seen.push_back(window.encoding.offsets[i]);
  for (const Offset& offset : tagger().model().preprocessor().tokenizer().tokenize(text).offsets)
    EXPECT_NE(std::ranges::find(seen, offset), seen.end());
}

// Nothing is counted twice: entities are in the order of the text and do not overlap.
TEST(Tag, EntitiesOfWindowsDoNotOverlap) {
  const std::string text = long_text();
  for (const Aggregation aggregation : {Aggregation::none, Aggregation::simple, Aggregation::first,
                                        Aggregation::average, Aggregation::max}) {
    const auto entities = tagger().tag(text, {.aggregation = aggregation});
    std::size_t end = 0;
    for (const Entity& entity : entities) {
      EXPECT_LE(end, entity.offset.begin);
      end = entity.offset.end;
    }
    EXPECT_GT(end, text.size() / 2);
  }
  const Tokens tokens = tagger().model().preprocessor().tokenizer().tokenize(text);
  EXPECT_EQ(tagger().tag(text, {.aggregation = Aggregation::none, .ignore_labels = {}}).size(),
            tokens.size());
}

TEST(Tag, AMaximalLengthAloneCuts) {
  const auto windows = tagger().logits(long_text(), {.max_length = 20});
  ASSERT_EQ(windows.size(), 1u);
  EXPECT_EQ(windows[0].encoding.size(), 20u);
}

TEST(Tag, AStrideIsSharedByNeighbours) {
  const auto windows = tagger().logits(long_text(), {.max_length = 20, .stride = 5});
  const Encoding &first = windows[0].encoding, &second = windows[1].encoding;
  EXPECT_TRUE(
      std::equal(first.offsets.end() - 6, first.offsets.end() - 1, second.offsets.begin() + 1));
}

TEST(Tag, LengthsAndStridesThatCannotBeKept) {
  const auto field = [](const TagOptions& options) {
    return thrown<UsageError>([&] { tagger().tag("사람", options); }).field();
  };
  EXPECT_EQ(field({.max_length = 513}), "max_length");
  EXPECT_EQ(field({.max_length = 1}), "max_length");
  EXPECT_EQ(field({.max_length = 20, .stride = 20}), "stride");
  EXPECT_EQ(field({.stride = 512}), "stride");
  const TextPair pair{"하나", "둘"};
  EXPECT_EQ(thrown<UsageError>([&] { tagger().tag(Texts(pair)); }).field(), "text_pair");
}

// ------------------------------------------------------------------------------- damaged heads

TEST(Tag, OtherHeadsSayWhatTheyAre) {
  const auto error =
      thrown<UsageError>([] { Tagger tagger(Model::load(fixture("tiny-11-seqcls"))); });
  EXPECT_EQ(error.actual(), "classifier on the first token");
  EXPECT_THAT(error.expected(), HasSubstr("tokens"));
  EXPECT_EQ(
      thrown<UsageError>([] { Tagger tagger(Model::load(fixture("tiny-11-bare"))); }).actual(),
      "an encoder alone");
}

TEST(Tag, DamagedHeadsAreRefused) {
  const struct {
    const char* tensor;
    std::vector<std::size_t> shape;
    const char* expected;
  } cases[]{{"classifier.weight", {32, 13}, "[32, 32]"},
            {"classifier.weight", {416}, "[416, 32]"},
            {"classifier.bias", {13, 1}, "[13]"}};
  for (const auto& c : cases) {
    const ModelDirectory directory("tiny-11-tokcls");
    directory.edit_header([&](auto& header) { header[c.tensor]["shape"] = c.shape; });
    const Model model = Model::load(directory.path());  // the encoder is sound
    const auto error = thrown<FormatError>([&] { Tagger tagger(model); });
    EXPECT_EQ(error.field(), c.tensor);
    EXPECT_EQ(error.expected(), c.expected);
  }
}

TEST(Tag, AMissingTensorIsNamed) {
  for (const char* tensor : {"classifier.weight", "classifier.bias"}) {
    const ModelDirectory directory("tiny-11-tokcls");
    directory.edit_header([&](auto& header) {
      header["elsewhere"] = header[tensor];
      header.erase(tensor);
    });
    const auto error = thrown<FormatError>([&] { Tagger tagger(Model::load(directory.path())); });
    EXPECT_EQ(error.field(), tensor);
    EXPECT_THAT(error.what(), HasSubstr("tensor missing"));
  }
}

TEST(Tag, LabelsThatAreNotThoseOfTheHead) {
  for (const char* id2label :
       {R"({"0": "B-PS", "2": "O"})", R"({"0": "B-PS", "1": "O"})", R"([])", R"({"0": 1})"}) {
    const ModelDirectory directory("tiny-11-tokcls");
    directory.edit_json("config.json", [&](auto& config) {
      config["id2label"] = nlohmann::ordered_json::parse(id2label);
    });
    const auto error = thrown<FormatError>([&] { Tagger tagger(Model::load(directory.path())); });
    EXPECT_EQ(error.field(), "id2label") << id2label;
    EXPECT_THAT(error.file(), HasSubstr("config.json"));
    EXPECT_THAT(error.expected(), HasSubstr("13"));
  }
}

// A checkpoint that says nothing of its architecture and has no pooler can only mean tokens.
TEST(Tag, AnArchitectureThatIsNotSaid) {
  const ModelDirectory directory("tiny-11-tokcls-no-pooler");
  directory.edit_json("config.json", [](auto& config) { config.erase("architectures"); });
  EXPECT_EQ(Tagger(Model::load(directory.path())).labels().size(), 13u);
}

TEST(Tag, RunsInEveryPrecision) {
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    try {
      const Tagger other(Model::load(fixture("tiny-11-tokcls"), {.precision = precision}));
      EXPECT_EQ(other.tag(kSentences).size(), kSentences.size());
    } catch (const UnsupportedError&) {  // this processor cannot
    }
  }
}

}  // namespace
}  // namespace klue
