// What embed reads: every form of input is the same texts to the library.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"

namespace klue::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const Model& model() {
  static const Model model = Model::load(fixture("tiny-11"), {.threads = 1});
  return model;
}

std::vector<float> expected(const Texts& texts) {
  const Tensor vectors = model().embed(texts);
  return {vectors.values().begin(), vectors.values().end()};
}

// The vectors of a run that must succeed without a word.
std::vector<float> vectors(std::vector<std::string> arguments, std::string_view input = {}) {
  arguments.insert(arguments.end(), {"--format", "f32"});
  const Result result = embed_tiny(arguments, input);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  return floats_of(result.out);
}

std::vector<float> from_stdin(std::string_view input, const char* format = "lines") {
  return vectors({"--input", "-", "--input-format", format}, input);
}

TEST(EmbedInput, ArgumentsFilesAndStandardInputAreTheSame) {
  const std::vector<float> wanted = expected({"이 다는", "사람 (전)"});
  EXPECT_EQ(vectors({"이 다는", "사람 (전)"}), wanted);
  EXPECT_EQ(from_stdin("이 다는\n사람 (전)\n"), wanted);
  const ScratchDirectory directory;
  const auto file = directory.write("texts.txt", "이 다는\n사람 (전)\n");
  EXPECT_EQ(vectors({"--input", file.string()}), wanted);
}

TEST(EmbedInput, AnArgumentIsATextAsItStands) {
  for (const char* text : {"[MASK]", "[이, 다는]", "[]", "{}", "%%", "", "\"사람\"", "a=b", "-",
                           "-1", "\\n", "사람,전", "$HOME", "@file"})
    EXPECT_EQ(vectors({text}), expected({text})) << text;
}

TEST(EmbedInput, LinesMayEndAsOnWindowsAndTheLastNotAtAll) {
  const std::vector<float> wanted = expected({"이 다는", "사람"});
  EXPECT_EQ(from_stdin("이 다는\r\n사람\r\n"), wanted);
  EXPECT_EQ(from_stdin("이 다는\n사람"), wanted);
  EXPECT_EQ(from_stdin("이 다는\r\n사람\r"), wanted);
}

TEST(EmbedInput, AByteOrderMarkIsNoText) {
  // Followed by a token that would be another one behind an invisible character.
  EXPECT_EQ(from_stdin("\xEF\xBB\xBF[MASK]\n사람\n"), expected({"[MASK]", "사람"}));
  EXPECT_EQ(from_stdin("\xEF\xBB\xBF{\"text\": \"사람\"}\n", "jsonl"), expected({"사람"}));
}

TEST(EmbedInput, EmptyLinesAreEmptyTexts) {
  EXPECT_EQ(from_stdin("사람\n\n\r\n전\n"), expected({"사람", "", "", "전"}));
  EXPECT_EQ(from_stdin("\n"), expected({""}));
}

TEST(EmbedInput, NoTextsAreNoVectors) {
  EXPECT_THAT(from_stdin(""), IsEmpty());
  const Result text = embed_tiny({"--input", "-"});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, IsEmpty());
}

TEST(EmbedInput, MoreTextsThanAreReadAtOnceKeepTheirOrder) {
  std::string input;
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) {
    texts.push_back(i % 97 == 0 ? "사람 전 대 " + std::to_string(i) : std::to_string(i));
    input.append(texts.back()).append("\n");
  }
  EXPECT_EQ(from_stdin(input), expected(texts));
  const Result jsonl = embed_tiny({"--input", "-", "--format", "jsonl"}, input);
  const std::vector<std::string> lines = lines_of(jsonl.out);
  ASSERT_EQ(lines.size(), texts.size());
  EXPECT_THAT(lines[4096], testing::StartsWith("{\"index\":4096,"));
}

TEST(EmbedInput, TsvHoldsTextsAndPairs) {
  EXPECT_EQ(from_stdin("이 다는\t사람\n전\n\t대\n대\t\n", "tsv"),
            expected(std::vector<TextPair>{{"이 다는", "사람"}, {"전"}, {"", "대"}, {"대", ""}}));
}

TEST(EmbedInput, JsonLinesHoldTextsAndPairs) {
  EXPECT_EQ(
      from_stdin(R"({"text": "이 다는", "text_pair": "사람"}
{"id": 7, "text": "전\t\"대\" \uc0ac\ub78c \ud83d\ude00", "label": [1, 2]}
{"text": "대", "text_pair": null}
)",
                 "jsonl"),
      expected(std::vector<TextPair>{{"이 다는", "사람"}, {"전\t\"대\" 사람 \U0001F600"}, {"대"}}));
}

TEST(EmbedInput, ALineOfTooManyColumnsIsNamed) {
  const Result result = embed_tiny({"--input", "-", "--input-format", "tsv"}, "a\tb\na\tb\tc\n");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("standard input: line 2: too many columns"));
}

TEST(EmbedInput, BadJsonLinesAreNamed) {
  const ScratchDirectory directory;
  for (const char* bad :
       {"{\"text\": \"사람\"", "[\"사람\"]", "\"사람\"", "{}", "{\"text\": 3}", "{\"text\": null}",
        "{\"text\": \"a\", \"text_pair\": 3}", "사람", "{\"text\": \"a\"} {\"text\": \"b\"}"}) {
    SCOPED_TRACE(bad);
    const auto file = directory.write(
        "texts.jsonl", "{\"text\": \"하나\"}\n{\"text\": \"둘\"}\n" + std::string(bad) + "\n");
    const Result result =
        embed_tiny({"--input", file.string(), "--input-format", "jsonl", "--tokenize"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr(file.string() + ": line 3: "));
    EXPECT_THAT(result.err, HasSubstr("{\"text\": \"…\"}"));  // what would have been right
  }
}

TEST(EmbedInput, InvalidUtf8CountsAsTheReplacementCharacter) {
  const std::vector<float> wanted = expected({"사\uFFFD람", "\uFFFD"});
  EXPECT_EQ(from_stdin("사\xFF람\n\xEC\x82\n"), wanted);
  EXPECT_EQ(from_stdin("사\xFF람\n\xEC\x82\n", "tsv"), wanted);
  EXPECT_EQ(from_stdin("{\"text\": \"사\xFF람\"}\n{\"text\": \"\xEC\x82\"}\n", "jsonl"), wanted);
  EXPECT_EQ(vectors({"사\xFF람", "\xEC\x82"}), wanted);
}

TEST(EmbedInput, AnyBytesAreText) {
  std::string input;
  for (int byte = 0; byte < 256; ++byte)
    input.push_back(static_cast<char>(byte));
  for (const char* dialect : {"huggingface", "tensorflow"})
    for (const std::vector<std::string>& what :
         {std::vector<std::string>{"--tokenize"}, {"--format", "jsonl"}}) {
      std::vector<std::string> arguments{"--input", "-", "--dialect", dialect};
      arguments.insert(arguments.end(), what.begin(), what.end());
      const Result result = embed_tiny(arguments, input);
      EXPECT_EQ(result.status, 0) << result.err;
      EXPECT_EQ(lines_of(result.out).size(), 2u);  // the bytes hold one line feed
    }
}

TEST(EmbedInput, NulIsAByteOfTheTextLikeOthers) {
  EXPECT_EQ(from_stdin(std::string_view("사\0람\n전\n", 12)),
            expected({std::string_view("사\0람", 7), "전"}));
}

TEST(EmbedInput, ALongLineIsCut) {
  std::string line;
  while (line.size() < 100'000)
    line.append("사람 ");
  EXPECT_EQ(from_stdin(line + "\n"), expected({line}));
}

}  // namespace
}  // namespace klue::test
