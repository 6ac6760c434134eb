// embed --tokenize: one JSON line per input, as the contract has it.

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"
#include "shared_data.hpp"

namespace klue::test {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

std::vector<json> tokenized(std::vector<std::string> arguments, std::string_view input = {},
                            const std::string& model = fixture("tiny-11").string()) {
  arguments.insert(arguments.end(), {"--tokenize", "--model", model});
  const Result result = embed(arguments, input);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  std::vector<json> lines;
  for (const std::string& line : lines_of(result.out))
    lines.push_back(json::parse(line));
  return lines;
}

TEST(EmbedTokenize, PrintsTheContractsLine) {
  const Result result = embed_tiny({"--tokenize", "사람 [MASK]a"});
  EXPECT_EQ(
      result.out,
      "{\"tokens\":[\"[CLS]\",\"사\",\"##람\",\"[MASK]\",\"a\",\"[SEP]\"],"
      "\"ids\":[" +
          [&] {
            const auto model = Preprocessor::load(fixture("tiny-11"));
            std::string ids;
            for (const char* token : {"[CLS]", "사", "##람", "[MASK]", "a", "[SEP]"})
              ids.append(ids.empty() ? "" : ",")
                  .append(std::to_string(*model.tokenizer().vocabulary().find(token)));
            return ids;
          }() +
          "],\"offsets\":[[0,0],[0,3],[3,6],[7,13],[13,14],[0,0]]}\n");
}

TEST(EmbedTokenize, IsTheLibrarysEncoding) {
  const Preprocessor preprocessor = Preprocessor::load(fixture("tiny-11"));
  const std::vector<TextPair> texts{{"이 다는 사람", "전 대"}, {"위치가 좋은 숙소!"}, {""}};
  std::string input;
  for (const TextPair& text : texts) {
    input.append(text.text);
    if (text.text_pair) input.append("\t").append(*text.text_pair);
    input.append("\n");
  }
  for (const char* limit : {"", "4"}) {
    std::vector<std::string> arguments{"--input", "-", "--input-format", "tsv"};
    EncodeOptions options;
    if (*limit != '\0') {
      arguments.insert(arguments.end(), {"--max-length", limit, "--truncation", "waterfall"});
      options = {.max_length = std::stoul(limit), .truncation = Truncation::waterfall};
    }
    const std::vector<json> lines = tokenized(arguments, input);
    ASSERT_EQ(lines.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Encoding wanted = preprocessor.encode(texts[i].text, texts[i].text_pair, options);
      EXPECT_EQ(lines[i].size(), 3u);
      EXPECT_EQ(lines[i].at("ids"), json(wanted.ids));
      for (std::size_t t = 0; t < wanted.size(); ++t) {
        EXPECT_EQ(lines[i].at("tokens")[t], preprocessor.tokenizer().token(wanted.ids[t]));
        EXPECT_EQ(lines[i].at("offsets")[t],
                  json({wanted.offsets[t].begin, wanted.offsets[t].end}));
      }
    }
  }
}

TEST(EmbedTokenize, SeqLengthAddsThePackedInputs) {
  for (const char* name : {"tiny-11", "tiny-11-bert"})
    for (const std::size_t seq_length : {std::size_t{8}, std::size_t{30}})
      for (const char* dialect : {"huggingface", "tensorflow"}) {
        SCOPED_TRACE(std::string(name) + " " + dialect + " " + std::to_string(seq_length));
        const bool bert = std::string_view(name) == "tiny-11-bert";
        const bool tensorflow = std::string_view(dialect) == "tensorflow";
        const auto preprocessor = Preprocessor::load(
            fixture(name), {.dialect = tensorflow ? Dialect::tensorflow : Dialect::huggingface,
                            .type_vocab_size = bert ? 2u : 1u});
        const auto a = preprocessor.tokenize({"이 다는 사람"}),
                   b = preprocessor.tokenize({"전 대"});
        const EncoderInputs pair = preprocessor.bert_pack_inputs(
            {a, b}, seq_length, tensorflow ? Truncation::round_robin : Truncation::longest_first);
        const std::vector<json> lines =
            tokenized({"--input", "-", "--input-format", "tsv", "--seq-length",
                       std::to_string(seq_length), "--dialect", dialect},
                      "이 다는 사람\t전 대\n", fixture(name).string());
        ASSERT_EQ(lines.size(), 1u);
        EXPECT_EQ(lines[0].size(), 6u);
        EXPECT_EQ(lines[0].at("input_word_ids"), json(pair.input_word_ids));
        EXPECT_EQ(lines[0].at("input_mask"), json(pair.input_mask));
        EXPECT_EQ(lines[0].at("input_type_ids"), json(pair.input_type_ids));
        EXPECT_EQ(lines[0].at("input_word_ids").size(), seq_length);
        // What is packed is what is shown, and padding after it.
        const std::vector<std::int32_t> ids = lines[0].at("ids");
        ASSERT_LE(ids.size(), seq_length);
        EXPECT_TRUE(std::ranges::equal(ids, std::span(pair.input_word_ids).first(ids.size())));
      }
}

TEST(EmbedTokenize, MaxLengthBelowSeqLengthPads) {
  const json line =
      tokenized({"--seq-length", "10", "--max-length", "4", "이 다는 사람 전 대"}).at(0);
  EXPECT_EQ(line.at("ids").size(), 4u);
  EXPECT_EQ(line.at("input_mask"), json({1, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(line.at("input_word_ids")[3], line.at("ids")[3]);
  EXPECT_EQ(line.at("input_word_ids")[4], 1);  // [PAD]
}

TEST(EmbedTokenize, DialectsDiffer) {
  EXPECT_EQ(tokenized({"--dialect", "huggingface", "[MASK]"})[0].at("tokens"),
            json({"[CLS]", "[MASK]", "[SEP]"}));
  const json tensorflow = tokenized({"--dialect", "tensorflow", "[MASK]"})[0].at("tokens");
  EXPECT_GT(tensorflow.size(), 3u);
  EXPECT_EQ(tensorflow[1], "[");
}

TEST(EmbedTokenize, NeedsNoWeightsAndNoConfiguration) {
  const ScratchDirectory directory;
  std::filesystem::copy(fixture("tiny-11") / "tokenizer.json", directory.path());
  EXPECT_EQ(tokenized({"사람"}, {}, directory.path().string()), tokenized({"사람"}));
}

TEST(EmbedTokenize, TakesTheTokenizerFromElsewhere) {
  const ScratchDirectory model, tokenizer;
  std::filesystem::copy(fixture("tiny-11") / "config.json", model.path());
  std::filesystem::copy(fixture("tiny-11") / "vocab.txt", tokenizer.path());
  EXPECT_EQ(
      tokenized({"사람", "--preprocessor", tokenizer.path().string()}, {}, model.path().string()),
      tokenized({"사람"}));
  const Result missing = embed({"--tokenize", "사람", "--model", model.path().string()});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, ::testing::HasSubstr("vocab.txt"));
}

TEST(EmbedTokenize, TruncationErrorIsOne) {
  const Result result =
      embed_tiny({"--tokenize", "--truncation", "error", "--max-length", "3", "이 다는 사람"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, ::testing::StartsWith("embed: "));
}

// All untruncated lines of the reference, in one run.
TEST(EmbedTokenize, EqualsTheOriginal) {
  KLUE_SHARED_DATA_OR_SKIP(goldens, "goldens/tokenization.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(model, "data/klue");
  std::vector<json> wanted;
  std::string input;
  std::ifstream file(goldens);
  for (std::string line; std::getline(file, line);) {
    json golden = json::parse(line);
    if (golden.contains("max_length")) continue;
    input.append(line).append("\n");  // a golden has a text and perhaps a text_pair: an input line
    wanted.push_back(std::move(golden));
  }
  ASSERT_GT(wanted.size(), klue::test::is_sample(goldens) ? 100u : 1000u);
  const std::vector<json> found =
      tokenized({"--input", "-", "--input-format", "jsonl"}, input, model.string());
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].at("ids"), wanted[i].at("ids")) << wanted[i];
    EXPECT_EQ(found[i].at("tokens"), wanted[i].at("tokens")) << wanted[i];
    if (wanted[i].contains("text_pair")) continue;
    std::vector<Offset> bytes;
    for (const json& offset : found[i].at("offsets"))
      bytes.push_back({offset[0], offset[1]});
    const std::string text = wanted[i].at("text");
    json code_points = json::array();
    for (const Offset& offset : to_code_points(text, bytes))
      code_points.push_back({offset.begin, offset.end});
    EXPECT_EQ(code_points, wanted[i].at("offsets")) << wanted[i];
  }
}

}  // namespace
}  // namespace klue::test
