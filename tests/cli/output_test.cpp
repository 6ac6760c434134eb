// What embed writes, read back and compared with what the library returns.

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"
#include "npy.hpp"

namespace klue::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kHidden = 32;
const std::vector<std::string> kTexts{"이 다는 사람", "전", "위치가 좋은 숙소 (1)", ""};

const Model& reference() {
  static const Model model = Model::load(fixture("tiny-11"), {.threads = 1});
  return model;
}

using Rows = std::vector<std::vector<float>>;

std::vector<float> values_of(std::span<const float> values) {
  return {values.begin(), values.end()};
}

Rows rows_of(const Tensor& matrix) {
  Rows rows;
  for (std::size_t i = 0; i < matrix.shape()[0]; ++i)
    rows.push_back(values_of(matrix.at(i)));
  return rows;
}

Result embed_texts(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), kTexts.begin(), kTexts.end());
  Result result = embed_tiny(arguments);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return result;
}

// A JSON line's array of floats, bit for bit.
std::vector<float> floats(const json& array) {
  return array.get<std::vector<float>>();
}

NpyArray parse_npy(const std::string& bytes) {
  const ScratchDirectory directory;
  const auto file = directory.write("array.npy", bytes);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header = static_cast<unsigned char>(bytes[8]) +
                             std::size_t{256} * static_cast<unsigned char>(bytes[9]);
  EXPECT_EQ((10 + header) % 64, 0u);  // the data is aligned, as NumPy writes it
  EXPECT_THAT(bytes.substr(10, header), HasSubstr("'descr': '<f4', 'fortran_order': False"));
  return read_npy(file);
}

std::vector<float> floats(const NpyArray& array) {
  return {array.values.begin(), array.values.end()};
}

// The n vectors of a run in any format, which says how many there are and how long they are.
Rows read_vectors(const std::string& format, const std::string& key, const std::string& out) {
  Rows rows;
  if (format == "npy") {
    const NpyArray array = parse_npy(out);
    EXPECT_EQ(array.shape.size(), 2u);
    const std::vector<float> values = floats(array);
    for (std::size_t i = 0; i < array.shape[0]; ++i)
      rows.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(i * array.shape[1]),
                        values.begin() + static_cast<std::ptrdiff_t>((i + 1) * array.shape[1]));
    return rows;
  }
  if (format == "f32") {
    const std::vector<float> values = floats_of(out);
    EXPECT_EQ(values.size() % kTexts.size(), 0u);
    const auto size = static_cast<std::ptrdiff_t>(values.size() / kTexts.size());
    for (auto begin = values.begin(); begin != values.end(); begin += size)
      rows.emplace_back(begin, begin + size);
    return rows;
  }
  EXPECT_EQ(out.back(), '\n');
  for (const std::string& line : lines_of(out)) {
    if (format != "jsonl") {
      rows.push_back(numbers_of(line, format == "csv" ? ',' : ' '));
      continue;
    }
    const json object = json::parse(line);
    EXPECT_EQ(object.size(), 2u);
    EXPECT_EQ(object.at("index"), rows.size());
    rows.push_back(floats(object.at(key)));
  }
  return rows;
}

class EmbedFormat : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(, EmbedFormat, testing::Values("text", "jsonl", "csv", "npy", "f32"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(EmbedFormat, EmbeddingsReadBackBitForBit) {
  const Result result = embed_texts({"--format", GetParam()});
  EXPECT_EQ(read_vectors(GetParam(), "embedding", result.out), rows_of(reference().embed(kTexts)));
}

TEST_P(EmbedFormat, PooledOutputsReadBackBitForBit) {
  const Result result = embed_texts({"--format", GetParam(), "--output", "pooled"});
  EXPECT_EQ(read_vectors(GetParam(), "pooled_output", result.out),
            rows_of(*reference().encode(kTexts).pooled_output));
}

TEST_P(EmbedFormat, LogitsReadBackBitForBit) {
  std::vector<std::string> arguments{"--model",   fixture("tiny-11-seqcls").string(),
                                     "--output",  "logits",
                                     "--threads", "1",
                                     "--format",  GetParam()};
  arguments.insert(arguments.end(), kTexts.begin(), kTexts.end());
  const Result result = embed(arguments);
  EXPECT_EQ(result.err, "");
  const Rows wanted = rows_of(Model::load(fixture("tiny-11-seqcls")).classify(kTexts));
  EXPECT_EQ(wanted[0].size(), 3u);
  EXPECT_EQ(read_vectors(GetParam(), "logits", result.out), wanted);
}

// Two poolings side by side make vectors that are wider than the encoder.
TEST_P(EmbedFormat, VectorsAreAsWideAsTheModelMakesThem) {
  const ScratchDirectory directory;
  std::filesystem::copy(fixture("tiny-11"), directory.path());
  directory.write("modules.json",
                  R"([{"type": "sentence_transformers.models.Transformer", "path": ""},
                      {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}])");
  directory.write("1_Pooling/config.json",
                  R"({"pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true})");
  const auto run_there = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--model", directory.path().string(), "--format",
                                         GetParam(), "--threads", "1"});
    return embed(arguments).out;
  };
  const Tensor vectors = Model::load(directory.path()).embed(kTexts);
  EXPECT_THAT(vectors.shape(), ElementsAre(kTexts.size(), 2 * kHidden));
  EXPECT_EQ(read_vectors(GetParam(), "embedding", run_there(kTexts)), rows_of(vectors));
  std::vector<std::string> similarity = kTexts;
  similarity.push_back("--similarity");
  const Rows cosines = read_vectors(GetParam(), "similarity", run_there(similarity));
  EXPECT_NEAR(cosines[0][1], cosine_similarity(vectors.at(0), vectors.at(1)), 0.51e-4f);
  if (std::string_view(GetParam()) != "npy") return;
  EXPECT_THAT(parse_npy(run_there({"--input", "/dev/null"})).shape, ElementsAre(0, 2 * kHidden));
}

TEST_P(EmbedFormat, SimilaritiesAreSymmetricCosines) {
  const Result result = embed_texts({"--format", GetParam(), "--similarity"});
  const Rows rows = read_vectors(GetParam(), "similarity", result.out);
  const Tensor vectors = reference().embed(kTexts);
  const float tolerance = std::string_view(GetParam()) == "text" ? 0.51e-4f : 1e-6f;
  ASSERT_EQ(rows.size(), kTexts.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), kTexts.size());
    EXPECT_EQ(rows[i][i], 1.0f);
    for (std::size_t j = 0; j < rows.size(); ++j) {
      EXPECT_EQ(rows[i][j], rows[j][i]);
      EXPECT_NEAR(rows[i][j], cosine_similarity(vectors.at(i), vectors.at(j)), tolerance);
    }
  }
}

TEST_P(EmbedFormat, OutWritesTheSameToAFile) {
  const ScratchDirectory directory;
  const std::string file = (directory.path() / "vectors").string();
  const Result result = embed_texts({"--format", GetParam(), "--out", file});
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(read_bytes(file), embed_texts({"--format", GetParam()}).out);
}

// ------------------------------------------------------------------------- sequence, layers

// The token vectors of one text: [tokens, hidden] of every layer, or of the last.
std::vector<Tensor> tokens_of(const std::string& text, bool layers,
                              const TextOptions& options = {}) {
  EncoderOutputs out = reference().encode({text}, {.encoder_outputs = layers}, options);
  if (layers) return std::move(out.encoder_outputs);
  std::vector<Tensor> last;
  last.push_back(std::move(out.sequence_output));
  return last;
}

class EmbedTokens : public testing::TestWithParam<bool> {
 protected:
  bool layers() const { return GetParam(); }
  std::string output() const { return layers() ? "layers" : "sequence"; }
};
INSTANTIATE_TEST_SUITE_P(, EmbedTokens, testing::Bool(), [](const auto& test) {
  return std::string(test.param ? "layers" : "sequence");
});

TEST_P(EmbedTokens, JsonLinesHoldEveryTokenAndNoPadding) {
  const std::vector<std::string> lines =
      lines_of(embed_texts({"--output", output(), "--format", "jsonl"}).out);
  ASSERT_EQ(lines.size(), kTexts.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const json line = json::parse(lines[i]);
    EXPECT_EQ(line.at("index"), i);
    const json arrays =
        layers() ? line.at("encoder_outputs") : json::array({line.at("sequence_output")});
    const std::vector<Tensor> wanted = tokens_of(kTexts[i], layers());
    ASSERT_EQ(arrays.size(), wanted.size());
    for (std::size_t layer = 0; layer < wanted.size(); ++layer) {
      ASSERT_EQ(arrays[layer].size(), wanted[layer].shape()[1]);
      for (std::size_t t = 0; t < arrays[layer].size(); ++t)
        EXPECT_EQ(floats(arrays[layer][t]), values_of(wanted[layer].at(0, t)));
    }
  }
}

TEST_P(EmbedTokens, LinesSayWhereTheyBelong) {
  for (const char separator : {' ', ','}) {
    const Result result =
        embed_texts({"--output", output(), "--format", separator == ',' ? "csv" : "text"});
    Rows wanted;
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
      const std::vector<Tensor> tensors = tokens_of(kTexts[i], layers());
      for (std::size_t layer = 0; layer < tensors.size(); ++layer)
        for (std::size_t t = 0; t < tensors[layer].shape()[1]; ++t) {
          std::vector<float>& line = wanted.emplace_back();
          if (layers()) line.push_back(static_cast<float>(layer));
          line.push_back(static_cast<float>(i));
          line.push_back(static_cast<float>(t));
          line.insert(line.end(), tensors[layer].at(0, t).begin(), tensors[layer].at(0, t).end());
        }
    }
    Rows found;
    for (const std::string& line : lines_of(result.out))
      found.push_back(numbers_of(line, separator));
    EXPECT_EQ(found, wanted);
  }
}

TEST_P(EmbedTokens, ArraysArePaddedToTheLongest) {
  const EncoderOutputs out = reference().encode(kTexts, {.encoder_outputs = true});
  std::vector<std::size_t> shape = out.sequence_output.shape();
  std::vector<float> wanted;
  if (layers()) {
    shape.insert(shape.begin(), out.encoder_outputs.size());
    for (const Tensor& layer : out.encoder_outputs)
      wanted.insert(wanted.end(), layer.values().begin(), layer.values().end());
  } else {
    wanted = values_of(out.sequence_output.values());
  }
  const NpyArray array = parse_npy(embed_texts({"--output", output(), "--format", "npy"}).out);
  EXPECT_EQ(array.shape, shape);
  EXPECT_EQ(floats(array), wanted);
  EXPECT_EQ(floats_of(embed_texts({"--output", output(), "--format", "f32"}).out), wanted);
}

TEST_P(EmbedTokens, SeqLengthPadsAndCuts) {
  for (const char* length : {"5", "40"}) {
    const NpyArray array = parse_npy(
        embed_texts({"--output", output(), "--format", "npy", "--seq-length", length}).out);
    ASSERT_GE(array.shape.size(), 2u);
    EXPECT_EQ(array.shape[array.shape.size() - 2], std::stoul(length));
  }
  const json line = json::parse(lines_of(
      embed_texts({"--output", output(), "--format", "jsonl", "--seq-length", "40"}).out)[1]);
  const json rows = layers() ? line.at("encoder_outputs")[0] : line.at("sequence_output");
  ASSERT_EQ(rows.size(), 40u);
  EXPECT_EQ(floats(rows[39]), std::vector<float>(kHidden, 0.0f));
  EXPECT_NE(floats(rows[0]), std::vector<float>(kHidden, 0.0f));
}

TEST(EmbedNpy, NoTextsAreAnArrayWithoutRows) {
  const Result result = embed_tiny({"--input", "-", "--format", "npy"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(parse_npy(result.out).shape, ElementsAre(0, kHidden));
}

// ------------------------------------------------------------------------------ the choices

TEST(EmbedChoices, PoolingAndNormalizeAreTheLibrarys) {
  const struct {
    const char* name;
    Pooling pooling;
  } cases[]{{"auto", Pooling::automatic}, {"pooler", Pooling::pooler},
            {"cls", Pooling::cls},        {"mean", Pooling::mean},
            {"max", Pooling::max},        {"mean_sqrt_len", Pooling::mean_sqrt_len}};
  for (const auto& c : cases)
    for (const bool normalize : {false, true}) {
      SCOPED_TRACE(c.name);
      std::vector<std::string> arguments{"--format", "f32", "--pooling", c.name};
      if (normalize) arguments.push_back("--normalize");
      EXPECT_EQ(
          floats_of(embed_texts(arguments).out),
          values_of(
              reference().embed(kTexts, {.pooling = c.pooling, .normalize = normalize}).values()));
    }
}

TEST(EmbedChoices, LengthsAndTruncationAreTheLibrarys) {
  const auto first = [](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments{"--input", "-", "--input-format", "tsv", "--format", "f32"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return embed_tiny(arguments, "이 다는 사람 전 대 사람\t고 에 로\n");
  };
  const std::vector<TextPair> pair{{"이 다는 사람 전 대 사람", "고 에 로"}};
  const struct {
    const char* name;
    Truncation truncation;
  } cases[]{{"longest_first", Truncation::longest_first},
            {"only_first", Truncation::only_first},
            {"only_second", Truncation::only_second},
            {"round_robin", Truncation::round_robin},
            {"waterfall", Truncation::waterfall}};
  const std::size_t whole =
      reference().preprocessor().encode(pair[0].text, pair[0].text_pair).size();
  const std::string length = std::to_string(whole - 2);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto wanted = values_of(
        reference().embed(pair, {.max_length = whole - 2, .truncation = c.truncation}).values());
    EXPECT_EQ(floats_of(first({"--truncation", c.name, "--max-length", length}).out), wanted);
    EXPECT_EQ(floats_of(first({"--truncation", c.name, "--seq-length", length}).out), wanted);
  }
  EXPECT_EQ(first({"--truncation", "error"}).status, 0);
  const Result refused = first({"--truncation", "error", "--max-length", length});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
}

TEST(EmbedChoices, TheDialectIsTheLibrarys) {
  const Model tensorflow =
      Model::load(fixture("tiny-11"), {.threads = 1, .dialect = Dialect::tensorflow});
  const Result result = embed_tiny({"--dialect", "tensorflow", "--format", "f32", "[MASK] 사람"});
  EXPECT_EQ(floats_of(result.out), values_of(tensorflow.embed({"[MASK] 사람"}).values()));
  const Result sequence = embed_tiny(
      {"--dialect", "tensorflow", "--output", "sequence", "--format", "npy", "[MASK] 사람"});
  EXPECT_THAT(parse_npy(sequence.out).shape, ElementsAre(1, 128, kHidden));
}

TEST(EmbedChoices, HowItIsComputedChangesNoBit) {
  const std::string expected = embed_texts({"--format", "f32"}).out;
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--threads", "1"},
                                                {"--threads", "3"},
                                                {"--threads", "0"},
                                                {"--batch-tokens", "1"},
                                                {"--batch-tokens", "100000"}}) {
    std::vector<std::string> arguments{"--format", "f32"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    EXPECT_EQ(embed_texts(arguments).out, expected) << flags[0] << " " << flags[1];
  }
}

TEST(EmbedChoices, PrecisionsAreTheLibrarys) {
  const std::vector<float> f32 = values_of(reference().embed(kTexts).values());
  const struct {
    const char* name;
    Precision precision;
  } cases[]{{"f32", Precision::f32}, {"bf16", Precision::bf16}, {"int8", Precision::int8}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const std::vector<std::string> arguments{"--format", "f32", "--precision", c.name};
    try {
      const Model same = Model::load(fixture("tiny-11"), {.threads = 1, .precision = c.precision});
      const std::vector<float> found = floats_of(embed_texts(arguments).out);
      EXPECT_EQ(found, values_of(same.embed(kTexts).values()));
      EXPECT_EQ(found == f32, c.precision == Precision::f32);
    } catch (const UnsupportedError& error) {  // this processor lacks the instructions
      const Result refused = embed_tiny({"--precision", c.name, "사람"});
      EXPECT_EQ(refused.status, 1);
      EXPECT_EQ(refused.err, "embed: " + std::string(error.what()) + "\n");
    }
  }
}

TEST(EmbedChoices, EnginesComputeTheSame) {
  const std::vector<float> wanted = values_of(reference().embed(kTexts).values());
  for (const Engine engine : available_engines()) {
    const std::string name(engine_name(engine));
    const std::vector<float> found =
        floats_of(embed_texts({"--format", "f32", "--engine", name}).out);
    EXPECT_THAT(found, testing::Pointwise(testing::FloatNear(1e-5f), wanted)) << name;
  }
  EXPECT_EQ(floats_of(embed_texts({"--format", "f32", "--engine", "auto"}).out),
            floats_of(embed_texts({"--format", "f32", "--engine", "packed"}).out));
}

}  // namespace
}  // namespace klue::test
