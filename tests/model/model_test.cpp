#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"

namespace klue {
namespace {

using test::fixture;
using test::thrown;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kHidden = 32;
const std::vector<std::string> kSentences{
    "이 다는 사람", "", "위치가 좋은 숙소입니다. 다시 오고 싶어요!", "(2024) abc 대·中", "전"};

Model load(const char* name = "tiny-11", const LoadOptions& options = {.threads = 1}) {
  return Model::load(fixture(name), options);
}

std::vector<float> bits(std::span<const float> values) {
  return {values.begin(), values.end()};
}

std::size_t tokens_of(const Model& model, const TextPair& text) {
  return model.preprocessor().encode(text.text, text.text_pair).size();
}

// Lengths from 2 to far above the tokens that are computed together, in no order.
std::vector<std::string> many_texts() {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 40; ++i) {
    std::string text;
    for (std::size_t word = 0; word < i * 7 % 40; ++word)
      text.append(kSentences[(i + word) % kSentences.size()]).append(" ");
    texts.push_back(text);
  }
  return texts;
}

std::string repeated(std::string_view word, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i)
    text.append(word);
  return text;
}

// ----------------------------------------------------------------------------------- encode

TEST(ModelEncode, HasTheShapesOfTheTfHubPage) {
  const Model model = load();
  const EncoderOutputs out = model.encode(kSentences, {.encoder_outputs = true});
  std::size_t longest = 0;
  for (const std::string& text : kSentences)
    longest = std::max(longest, tokens_of(model, {text}));
  ASSERT_TRUE(out.pooled_output.has_value());
  EXPECT_THAT(out.pooled_output->shape(), ElementsAre(5, kHidden));
  EXPECT_THAT(out.sequence_output.shape(), ElementsAre(5, longest, kHidden));
  ASSERT_EQ(out.encoder_outputs.size(), 2u);
  EXPECT_EQ(out.encoder_outputs[0].shape(), out.sequence_output.shape());
  EXPECT_NE(bits(out.encoder_outputs[0].values()), bits(out.encoder_outputs[1].values()));
  EXPECT_EQ(bits(out.encoder_outputs[1].values()), bits(out.sequence_output.values()));
}

TEST(ModelEncode, GivesOnlyWhatIsAskedFor) {
  const Model model = load();
  const EncoderOutputs standard = model.encode(kSentences);
  EXPECT_TRUE(standard.encoder_outputs.empty());
  const EncoderOutputs pooled = model.encode(kSentences, {.sequence_output = false});
  EXPECT_TRUE(pooled.sequence_output.empty());
  EXPECT_EQ(bits(pooled.pooled_output->values()), bits(standard.pooled_output->values()));
  const EncoderOutputs sequence = model.encode(kSentences, {.pooled_output = false});
  EXPECT_FALSE(sequence.pooled_output.has_value());
}

TEST(ModelEncode, RowsOfPaddingAreZeroAndOthersAreNot) {
  const Model model = load();
  const Tensor sequence = model.encode(kSentences, {}, {.seq_length = 40}).sequence_output;
  ASSERT_THAT(sequence.shape(), ElementsAre(5, 40, kHidden));
  for (std::size_t i = 0; i < kSentences.size(); ++i)
    for (std::size_t t = 0; t < 40; ++t) {
      if (t < tokens_of(model, {kSentences[i]}))
        EXPECT_THAT(bits(sequence.at(i, t)), testing::Not(Each(0.0f)));
      else
        EXPECT_THAT(bits(sequence.at(i, t)), Each(0.0f));
    }
}

TEST(ModelEncode, ATextIsTheSameBitsAloneAndAmongOthers) {
  const Model model = load();
  const Tensor together = model.encode(kSentences).sequence_output;
  for (std::size_t i = 0; i < kSentences.size(); ++i) {
    const Tensor alone = model.encode({kSentences[i]}).sequence_output;
    EXPECT_EQ(bits(alone.values()), bits(together.at(i).first(alone.size())));
  }
}

TEST(ModelEncode, EqualsTheTwoStepForm) {
  const Model model = load();
  const auto tokens = model.preprocessor().tokenize(kSentences);
  for (const std::size_t seq_length : {4u, 30u}) {
    const EncoderInputs packed = model.preprocessor().bert_pack_inputs({tokens}, seq_length);
    const EncoderOutputs two_steps = model.encoder()(packed);
    const EncoderOutputs one_step = model.encode(kSentences, {}, {.seq_length = seq_length});
    EXPECT_EQ(one_step.sequence_output.shape(), two_steps.sequence_output.shape());
    EXPECT_EQ(bits(one_step.sequence_output.values()), bits(two_steps.sequence_output.values()));
    EXPECT_EQ(bits(one_step.pooled_output->values()), bits(two_steps.pooled_output->values()));
  }
}

TEST(ModelEncode, PairsEqualTheTwoStepForm) {
  const std::vector<std::string> first{"이 다는 사람 전부", "전"},
      second{"대 사람", "이 다는 고 에"};
  std::vector<TextPair> pairs;
  for (std::size_t i = 0; i < first.size(); ++i)
    pairs.push_back({first[i], second[i]});
  for (const char* name : {"tiny-11", "tiny-11-bert"}) {
    SCOPED_TRACE(name);
    const Model model = load(name);
    const auto a = model.preprocessor().tokenize(first), b = model.preprocessor().tokenize(second);
    for (const std::size_t seq_length : {8u, 24u}) {
      const EncoderInputs packed = model.preprocessor().bert_pack_inputs({a, b}, seq_length);
      const auto last_type = std::ranges::max(packed.input_type_ids);
      EXPECT_EQ(last_type, std::string_view(name) == "tiny-11-bert" ? 1 : 0);
      const Tensor one_step =
          model.encode(pairs, {}, {.seq_length = seq_length, .truncation = Truncation::round_robin})
              .sequence_output;
      EXPECT_EQ(bits(one_step.values()), bits(model.encoder()(packed).sequence_output.values()));
    }
  }
}

TEST(ModelEncode, LengthsLimitAndPad) {
  const Model model = load();
  const std::string text = repeated("사람 ", 50);
  const auto seq = [&](const TextOptions& options) {
    return model.encode({text, "전"}, {}, options).sequence_output.shape()[1];
  };
  EXPECT_EQ(seq({.max_length = 7}), 7u);
  EXPECT_EQ(seq({.seq_length = 9}), 9u);
  EXPECT_EQ(seq({.max_length = 7, .seq_length = 9}), 9u);
  EXPECT_EQ(seq({.max_length = 512, .seq_length = 200}), 200u);
  // What is cut is what a shorter limit keeps, and [SEP] ends it.
  const Tensor cut = model.encode({text}, {}, {.max_length = 7, .seq_length = 9}).sequence_output;
  EXPECT_EQ(bits(cut.at(0).first(7 * kHidden)),
            bits(model.encode({text}, {}, {.max_length = 7}).sequence_output.values()));
  EXPECT_THAT(bits(cut.at(0, 7)), Each(0.0f));
}

TEST(ModelEncode, CutsAtThePositionTableUnlessToldOtherwise) {
  const Model model = load();
  const std::string text = repeated("사람 ", 2000);
  EXPECT_THAT(model.encode({text}).sequence_output.shape(), ElementsAre(1, 512, kHidden));
}

TEST(ModelEncode, RefusesLengthsThatCannotBeKept) {
  const Model model = load();
  const auto encode = [&](const TextOptions& options) {
    return thrown<UsageError>([&] { model.encode({"사람 사람 사람"}, {}, options); });
  };
  const UsageError long_max = encode({.max_length = 513});
  EXPECT_EQ(long_max.field(), "max_length");
  EXPECT_EQ(long_max.expected(), "at most 512");
  EXPECT_EQ(long_max.actual(), "513");
  EXPECT_EQ(encode({.seq_length = 513}).field(), "seq_length");
  EXPECT_FALSE(encode({.max_length = 1}).expected().empty());  // [CLS] and [SEP] need two
  EXPECT_FALSE(encode({.seq_length = 1}).expected().empty());
  encode({.max_length = 4, .truncation = Truncation::error});
  EXPECT_NO_THROW(model.encode({"사람"}, {}, {.max_length = 4, .truncation = Truncation::error}));
}

TEST(ModelEncode, ZeroTextsAreZeroRows) {
  const Model model = load();
  const EncoderOutputs out = model.encode(std::vector<std::string>{}, {.encoder_outputs = true});
  EXPECT_EQ(out.sequence_output.shape()[0], 0u);
  EXPECT_EQ(out.sequence_output.shape()[2], kHidden);
  EXPECT_THAT(out.pooled_output->shape(), ElementsAre(0, kHidden));
  EXPECT_THAT(model.embed(std::vector<std::string>{}).shape(), ElementsAre(0, kHidden));
}

// ------------------------------------------------------------------------------------ embed

TEST(ModelEmbed, IsThePoolingOfEncode) {
  const Model model = load();
  const EncoderOutputs out = model.encode(kSentences);
  const auto embed = [&](Pooling pooling) { return model.embed(kSentences, {.pooling = pooling}); };
  const Tensor cls = embed(Pooling::cls), mean = embed(Pooling::mean), max = embed(Pooling::max);
  for (std::size_t i = 0; i < kSentences.size(); ++i) {
    EXPECT_EQ(bits(cls.at(i)), bits(out.sequence_output.at(i, 0)));
    const std::size_t tokens = tokens_of(model, {kSentences[i]});
    for (std::size_t feature = 0; feature < kHidden; ++feature) {
      double sum = 0;
      float largest = -std::numeric_limits<float>::infinity();
      for (std::size_t t = 0; t < tokens; ++t) {
        const float value = out.sequence_output.at(i, t)[feature];
        sum += static_cast<double>(value);
        largest = std::max(largest, value);
      }
      EXPECT_EQ(max.at(i)[feature], largest);
      EXPECT_NEAR(static_cast<double>(mean.at(i)[feature]), sum / static_cast<double>(tokens),
                  1e-5);
    }
  }
  EXPECT_EQ(bits(embed(Pooling::pooler).values()), bits(out.pooled_output->values()));
  EXPECT_EQ(bits(embed(Pooling::automatic).values()), bits(mean.values()));
}

TEST(ModelEmbed, KeepsTheOrderAndTheBitsHoweverItIsWorkedThrough) {
  const std::vector<std::string> texts = many_texts();
  const Model reference = load();
  std::vector<std::vector<float>> alone;
  for (const std::string& text : texts)
    alone.push_back(bits(reference.embed({text}).values()));
  for (const std::size_t threads : {1u, 3u})
    for (const std::size_t batch_tokens : {1u, 7u, 1024u}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, batches of " +
                   std::to_string(batch_tokens));
      const Model model = load("tiny-11", {.threads = threads, .batch_tokens = batch_tokens});
      const Tensor vectors = model.embed(texts);
      ASSERT_THAT(vectors.shape(), ElementsAre(texts.size(), kHidden));
      for (std::size_t i = 0; i < texts.size(); ++i)
        EXPECT_EQ(bits(vectors.at(i)), alone[i]) << "text " << i;
    }
}

TEST(ModelEmbed, NormalizesOnRequest) {
  const Model model = load();
  const Tensor plain = model.embed(kSentences), unit = model.embed(kSentences, {.normalize = true});
  for (std::size_t i = 0; i < kSentences.size(); ++i) {
    double square = 0;
    for (const float x : unit.at(i))
      square += static_cast<double>(x) * static_cast<double>(x);
    EXPECT_NEAR(square, 1.0, 1e-6);
    EXPECT_NEAR(static_cast<double>(cosine_similarity(plain.at(i), unit.at(i))), 1.0, 1e-6);
    EXPECT_NE(bits(plain.at(i)), bits(unit.at(i)));
  }
}

TEST(ModelEmbed, PairsAreEmbeddedTogether) {
  const Model model = load();
  const Tensor pair =
      model.embed(std::vector<TextPair>{{"이 다는", "사람"}}, {.pooling = Pooling::cls});
  const auto a = model.preprocessor().tokenize({"이 다는"}),
             b = model.preprocessor().tokenize({"사람"});
  const EncoderOutputs out = model.encoder()(model.preprocessor().bert_pack_inputs({a, b}, 16));
  EXPECT_EQ(bits(pair.values()), bits(out.sequence_output.at(0, 0)));
}

TEST(ModelEmbed, MaxLengthCuts) {
  const Model model = load();
  const std::string text = repeated("사람 ", 30);
  // Five tokens: three words between [CLS] and [SEP].
  ASSERT_EQ(tokens_of(model, {"사람 사람 사람"}), 3 * (tokens_of(model, {"사람"}) - 2) + 2);
  const std::size_t limit = tokens_of(model, {"사람 사람 사람"});
  EXPECT_EQ(bits(model.embed({text}, {.max_length = limit}).values()),
            bits(model.embed({"사람 사람 사람"}).values()));
  EXPECT_EQ(thrown<UsageError>([&] { model.embed({text}, {.max_length = 513}); }).field(),
            "max_length");
}

TEST(ModelEmbed, TheSameEncoderUnderAnyNamesIsTheSameVectors) {
  const std::vector<float> expected = bits(load().embed(kSentences).values());
  for (const char* name : {"tiny-11-bare", "tiny-11-seqcls", "tiny-11-tokcls", "tiny-11-no-pooler"})
    EXPECT_EQ(bits(load(name).embed(kSentences).values()), expected) << name;
}

// ------------------------------------------------------------------------------------- text

TEST(ModelText, InvalidUtf8CountsAsTheReplacementCharacter) {
  for (const Dialect dialect : {Dialect::huggingface, Dialect::tensorflow}) {
    const Model model = load("tiny-11", {.threads = 1, .dialect = dialect});
    EXPECT_EQ(bits(model.embed({"사\xFF람 \xEC\x82 전 \xED\xA0\x80"}).values()),
              bits(model.embed({"사\uFFFD람 \uFFFD 전 \uFFFD\uFFFD\uFFFD"}).values()));
  }
}

TEST(ModelText, AnEmptyTextIsItsSpecialTokens) {
  const Model model = load();
  EXPECT_THAT(model.encode({""}).sequence_output.shape(), ElementsAre(1, 2, kHidden));
  EXPECT_EQ(bits(model.embed({""}).values()), bits(model.embed({" \t\n"}).values()));
  EXPECT_EQ(bits(model.embed({std::string_view()}).values()), bits(model.embed({""}).values()));
}

TEST(ModelText, A100KilobyteTextIsCut) {
  const Model model = load();
  for (const std::string& text : {repeated("사람 ", 15000), std::string(100'000, 'a')}) {
    const Tensor vector = model.embed({text});
    for (const float x : vector.values())
      EXPECT_TRUE(std::isfinite(x));
  }
}

// --------------------------------------------------------------------------------- dialects

// Nothing is put around it then, and the original has a row of padding.
TEST(ModelEmbed, AnEmptyTextWithoutATemplateIsPadding) {
  const test::ModelDirectory directory;
  directory.edit_json("tokenizer.json", [](auto& json) { json["post_processor"] = nullptr; });
  const Model model = Model::load(directory.path(), {.threads = 1});
  const Tensor vectors = model.embed({"", "사람"});
  const Tensor padding = model.embed({"[PAD]"});
  EXPECT_TRUE(std::ranges::equal(vectors.at(0), padding.at(0)));
}

TEST(ModelDialect, HuggingFaceIsTheDefault) {
  const Model model = load();
  EXPECT_EQ(model.preprocessor().dialect(), Dialect::huggingface);
  EXPECT_EQ(model.info().max_length, 512u);
}

TEST(ModelDialect, TensorflowPadsTo128AndCutsInTurn) {
  const Model model = load("tiny-11", {.threads = 1, .dialect = Dialect::tensorflow});
  EXPECT_EQ(model.info().max_length, 128u);
  EXPECT_THAT(model.encode({"사람"}).sequence_output.shape(), ElementsAre(1, 128, kHidden));
  EXPECT_THAT(model.encode({"사람"}, {}, {.seq_length = 64}).sequence_output.shape(),
              ElementsAre(1, 64, kHidden));

  const std::string first = repeated("전 ", 100), second = repeated("대 ", 200);
  const auto a = model.preprocessor().tokenize({first}),
             b = model.preprocessor().tokenize({second});
  const EncoderInputs packed = model.preprocessor().bert_pack_inputs({a, b});
  EXPECT_EQ(packed.seq_length, 128u);
  EXPECT_EQ(bits(model.encode(std::vector<TextPair>{{first, second}}).sequence_output.values()),
            bits(model.encoder()(packed).sequence_output.values()));
}

TEST(ModelDialect, TokenizationDiffersWhereTheOriginalsDo) {
  const Model huggingface = load();
  const Model tensorflow = load("tiny-11", {.threads = 1, .dialect = Dialect::tensorflow});
  EXPECT_NE(bits(huggingface.embed({"[MASK]"}).values()),
            bits(tensorflow.embed({"[MASK]"}).values()));
  EXPECT_EQ(bits(huggingface.embed({"이 다는 사람"}).values()),
            bits(tensorflow.embed({"이 다는 사람"}).values()));
}

// ------------------------------------------------------------------------------------ pooler

TEST(ModelWithoutPooler, SaysWhatToUseInstead) {
  const Model model = load("tiny-11-no-pooler");
  EXPECT_FALSE(model.encoder().has_pooler());
  EXPECT_FALSE(model.encode(kSentences).pooled_output.has_value());
  const auto refused = [&](const auto& call) {
    const UsageError error = thrown<UsageError>(call);
    EXPECT_THAT(error.what(), HasSubstr("no pooler"));
    EXPECT_THAT(error.what(), HasSubstr("mean or cls pooling instead"));
  };
  refused([&] { model.encode(kSentences, {.pooled_output = true}); });
  refused([&] { model.embed(kSentences, {.pooling = Pooling::pooler}); });
  refused([&] { model.embed(std::vector<std::string>{}, {.pooling = Pooling::pooler}); });
  EXPECT_EQ(bits(model.embed(kSentences).values()),
            bits(model.embed(kSentences, {.pooling = Pooling::mean}).values()));
}

// ------------------------------------------------------------------------------- the rest

// Eight callers embed and encode at once, and each gets what it gets alone.
void expect_callers_agree(const std::vector<std::string>& texts, int rounds) {
  for (const std::size_t threads : {1u, 2u}) {
    const Model model = load("tiny-11", {.threads = threads, .batch_tokens = 64});
    const std::vector<float> vectors = bits(model.embed(texts).values());
    const std::vector<float> sequence = bits(model.encode(kSentences).sequence_output.values());
    std::vector<std::thread> callers;
    std::vector<int> failures(8);
    for (std::size_t caller = 0; caller < failures.size(); ++caller)
      callers.emplace_back([&, caller] {
        for (int round = 0; round < rounds; ++round)
          failures[caller] +=
              caller % 2 == 0 ? bits(model.embed(texts).values()) != vectors
                              : bits(model.encode(kSentences).sequence_output.values()) != sequence;
      });
    for (std::thread& caller : callers)
      caller.join();
    EXPECT_THAT(failures, Each(0));
  }
}

TEST(Model, MayBeCalledByManyThreadsAtOnce) {
  expect_callers_agree(many_texts(), 5);
}

// Little enough to be run under Valgrind, too.
TEST(Model, MayBeCalledByManyThreadsWithLittleText) {
  std::vector<std::string> texts = many_texts();
  texts.resize(6);  // still several parts of 64 tokens
  expect_callers_agree(texts, 3);
}

TEST(Model, KeepsWorkingWhenMoved) {
  Model first = load();
  const std::vector<float> expected = bits(first.embed(kSentences).values());
  Model second = std::move(first);
  EXPECT_EQ(bits(second.embed(kSentences).values()), expected);
  first = std::move(second);
  EXPECT_EQ(bits(first.embed(kSentences).values()), expected);
}

TEST(Model, TellsWhatItLoaded) {
  const Model model = load("tiny-11", {.threads = 2});
  const ModelInfo& info = model.info();
  EXPECT_EQ(info.directory, fixture("tiny-11"));
  EXPECT_EQ(info.weights_file, fixture("tiny-11") / "model.safetensors");
  EXPECT_EQ(info.weights_format, "safetensors");
  EXPECT_FALSE(info.engine.empty());
  EXPECT_EQ(info.threads, 2u);
  EXPECT_THAT(info.poolings, ElementsAre(Pooling::mean));
  EXPECT_TRUE(info.modules.empty());
  EXPECT_EQ(info.embedding_size, kHidden);
  EXPECT_FALSE(info.normalize);
}

TEST(Model, TakesEitherFormOfTheTokenizer) {
  const std::vector<float> expected = bits(load().embed(kSentences).values());
  for (const char* removed : {"tokenizer.json", "vocab.txt"}) {
    const test::ModelDirectory directory;
    directory.remove(removed);
    EXPECT_EQ(bits(Model::load(directory.path()).embed(kSentences).values()), expected) << removed;
  }
}

TEST(Model, NeedsNoOptionalFile) {
  const test::ModelDirectory directory;
  for (const char* file : {"special_tokens_map.json", "tokenizer_config.json", "vocab.txt"})
    directory.remove(file);
  EXPECT_EQ(bits(Model::load(directory.path()).embed(kSentences).values()),
            bits(load().embed(kSentences).values()));
}

TEST(Model, HonoursTheTokenizersOwnLimit) {
  const test::ModelDirectory directory;
  directory.edit_json("tokenizer_config.json", [](auto& json) { json["model_max_length"] = 20; });
  const Model model = Model::load(directory.path());
  EXPECT_EQ(model.info().max_length, 20u);
  const std::string text = repeated("사람 ", 100);
  EXPECT_EQ(model.encode({text}).sequence_output.shape()[1], 20u);
  EXPECT_EQ(model.encode({text}, {}, {.max_length = 30}).sequence_output.shape()[1], 30u);
}

}  // namespace
}  // namespace klue
