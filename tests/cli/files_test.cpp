// Real files: formats, fields, encodings, gzip, several files, damage.

#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "checkpoint/gzip_writer.hpp"
#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"
#include "shared_data.hpp"

namespace klue::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The vectors of these lines, to compare with.
std::string vectors_of(const std::string& lines) {
  const Result result =
      embed_tiny({"--input", "-", "--input-format", "lines", "--format", "f32"}, lines);
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out;
}

std::string vectors_of_pairs(const std::string& tsv) {
  const Result result =
      embed_tiny({"--input", "-", "--input-format", "tsv", "--format", "f32"}, tsv);
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out;
}

class EmbedFiles : public testing::Test {
 protected:
  Result run(const std::string& name, const std::string& content,
             std::vector<std::string> arguments = {}) {
    const auto file = directory_.write(name, content);
    arguments.insert(arguments.end(), {"--input", file.string(), "--format", "f32"});
    return embed_tiny(arguments);
  }

  void expect_same(const std::string& name, const std::string& content, const std::string& wanted,
                   const std::vector<std::string>& arguments = {}) {
    SCOPED_TRACE(name);
    const Result result = run(name, content, arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, wanted);
  }

  void expect_error(const std::string& name, const std::string& content,
                    const std::vector<std::string>& arguments,
                    const testing::Matcher<std::string>& error) {
    SCOPED_TRACE(name);
    const Result result = run(name, content, arguments);
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(result.err, error);
    EXPECT_THAT(result.err, HasSubstr(name));
  }

  ScratchDirectory directory_;
};

TEST_F(EmbedFiles, AreKnownByTheirNames) {
  expect_same("a.tsv", "이 다는\t사람\n전\n", vectors_of_pairs("이 다는\t사람\n전\n"));
  expect_same("a.jsonl", "{\"text\": \"사람\"}\n", vectors_of("사람\n"));
  expect_same("a.NDJSON", "{\"text\": \"사람\"}\n", vectors_of("사람\n"));
  expect_same("a.csv", "text\n\"사람, 전\"\n", vectors_of("사람, 전\n"));
  expect_same("a.txt", "사람\t전\n", vectors_of("사람\t전\n"));
  EXPECT_THAT(run("b.tsv", "전\n").err, HasSubstr("b.tsv: taken as tsv"));
  EXPECT_THAT(run("b.txt", "전\n").err, IsEmpty());
}

TEST_F(EmbedFiles, AreKnownByTheirContent) {
  expect_same("a.txt", "{\"text\": \"사람\", \"n\": [1]}\n", vectors_of("사람\n"));
  EXPECT_THAT(run("a.txt", "{\"text\": \"사람\"}\n").err, HasSubstr("taken as jsonl"));
  expect_same("b", "{사람}\n", vectors_of("{사람}\n"));
  expect_same("c", "{\"text\": \"사람\"}\n", vectors_of("{\"text\": \"사람\"}\n"),
              {"--input-format", "lines"});
  expect_error("d.txt", "{\"sentence\": \"사람\"}\n", {},
               AllOf(HasSubstr("line 1: has no \"text\""), HasSubstr("--field")));
}

TEST_F(EmbedFiles, ThatHoldNoTextsAreRefused) {
  expect_error("a.npy", std::string("\x93NUMPY\x01\0v\0", 10), {}, HasSubstr("a NumPy array"));
  expect_error("a.xlsx", std::string("PK\x03\x04", 4) + "…", {}, HasSubstr("a zip archive"));
  expect_error("a.bin", std::string(300, '\0') + "text\n", {}, HasSubstr("NUL bytes"));
  expect_error("a.json", "[{\"text\": \"사람\"}]\n", {}, HasSubstr("JSON array"));
}

TEST_F(EmbedFiles, FieldsAreChosenByNameAndByNumber) {
  const std::string tsv = "id\tsentence\tlabel\n7\t이 다는\tx\n8\t전\ty\n";
  const std::string wanted = vectors_of("이 다는\n전\n");
  expect_same("a.tsv", tsv, wanted, {"--field", "sentence"});
  expect_same("a.tsv", tsv.substr(tsv.find('\n') + 1), wanted, {"--field", "2"});
  expect_same("a.txt", tsv, wanted, {"--field", "sentence"});
  expect_same("a.csv", "id,sentence\n7,이 다는\n8,전\n", wanted, {"--field", "sentence"});
  expect_same("a.csv", "id,sentence\n7,이 다는\n8,전\n", wanted, {"--field", "2"});
  expect_same("a.jsonl", "{\"sentence\": \"이 다는\", \"text_pair\": 3}\n{\"sentence\": \"전\"}\n",
              wanted, {"--field", "sentence"});
  const std::string pairs = vectors_of_pairs("이 다는\t전\n");
  expect_same("b.tsv", "x\t이 다는\t전\n", pairs, {"--field", "2", "--pair-field", "3"});
  expect_same("b.csv", "전제,가설\n이 다는,전\n", pairs,
              {"--field", "전제", "--pair-field", "가설"});
  expect_same("b.csv", "text,text_pair,n\n이 다는,전,1\n", pairs);
  expect_same("b.jsonl", "{\"p\": \"이 다는\", \"h\": \"전\"}\n", pairs,
              {"--field", "p", "--pair-field", "h"});
}

TEST_F(EmbedFiles, AFieldThatIsNotThereIsNamedWithThoseThatAre) {
  expect_error("a.csv", "id,문장\n1,전\n", {}, AllOf(HasSubstr("\"text\""), HasSubstr("id, 문장")));
  expect_error("a.csv", "id,문장\n1,전\n", {"--field", "본문"},
               AllOf(HasSubstr("\"본문\""), HasSubstr("id, 문장")));
  expect_error("a.tsv", "a\tb\tc\n", {},
               AllOf(HasSubstr("too many columns"), HasSubstr("--field")));
  expect_error("a.tsv", "a\tb\nc\n", {"--field", "2"}, HasSubstr("line 2: has no column 2"));
  expect_error("a.txt", "사람\n", {"--field", "2"}, HasSubstr("--input-format"));
}

TEST_F(EmbedFiles, CsvHasQuotesAndLineEndsInThem) {
  const Result result =
      run("a.csv", "id,text\r\n1,\"그는 \"\"전\"\", 하고\r\n말했다\"\r\n2,사람\r\n", {});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto line = [&](const char* json) {
    return embed_tiny({"--input", "-", "--input-format", "jsonl", "--format", "f32"}, json).out;
  };
  EXPECT_EQ(result.out, line("{\"text\": \"그는 \\\"전\\\", 하고\\n말했다\"}\n") +
                            line("{\"text\": \"사람\"}\n"));
  expect_error("b.csv", "text\n전\n\"전\n전\n", {},
               HasSubstr("line 3: column 1: a quote is never closed"));
  expect_error("c.csv", "text\n\"전\"전\n", {}, HasSubstr("line 2: column 6: text behind"));
  expect_error("d.csv", "a,text\n1,2\n1,2,3\n", {}, HasSubstr("line 3: has 3 columns"));
}

TEST_F(EmbedFiles, ManyQuotesTakeLinearTime) {
  std::string csv = "text\n\"";
  for (int i = 0; i < 200'000; ++i)
    csv.append("\"\" \"\"\n");
  const Result result = run("a.csv", csv + "\"\n", {"--max-length", "8"});
  EXPECT_EQ(result.status, 0) << result.err;
}

TEST_F(EmbedFiles, IdsAndTextsGoThrough) {
  const auto file = directory_.write(
      "a.jsonl",
      "{\"id\": \"a\\\"1\", \"text\": \"사람\"}\n{\"id\": 7.50, \"text\": \"전, \\\"대\\\"\"}\n");
  const Result jsonl = embed_tiny({"--input", file.string(), "--quiet", "--id-field", "id",
                                   "--with-text", "--format", "jsonl"});
  ASSERT_EQ(jsonl.status, 0) << jsonl.err;
  const auto lines = lines_of(jsonl.out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], testing::StartsWith(
                            "{\"index\":0,\"id\":\"a\\\"1\",\"text\":\"사람\",\"embedding\":["));
  EXPECT_THAT(
      lines[1],
      testing::StartsWith("{\"index\":1,\"id\":7.50,\"text\":\"전, \\\"대\\\"\",\"embedding\":["));
  const Result csv = embed_tiny(
      {"--input", file.string(), "--quiet", "--id-field", "id", "--with-text", "--format", "csv"});
  EXPECT_THAT(lines_of(csv.out)[0], testing::StartsWith("\"a\"\"1\",사람,"));
  EXPECT_THAT(lines_of(csv.out)[1], testing::StartsWith("7.50,\"전, \"\"대\"\"\","));
}

TEST_F(EmbedFiles, MayBeSeveralAndPacked) {
  const auto a = directory_.write("a.txt", "사람\n전"), b = directory_.write("b.tsv", "대\t전\n");
  const Result result =
      embed_tiny({"--input", a.string(), "--input", b.string(), "--quiet", "--format", "f32"});
  EXPECT_EQ(result.out, vectors_of("사람\n전\n") + vectors_of_pairs("대\t전\n"));
#if KLUE_WITH_ZLIB
  // Two members, as from two runs of gzip >>.
  const std::string packed = gzip("사람\n전\n") + gzip("대\n");
  expect_same("c.txt.gz", packed, vectors_of("사람\n전\n대\n"));
  const Result piped = embed_tiny({"--input", "-", "--format", "f32"}, packed);
  EXPECT_EQ(piped.out, vectors_of("사람\n전\n대\n"));
  expect_same("d.jsonl.gz", gzip("{\"text\": \"전\"}\n"), vectors_of("전\n"));
  expect_error("e.gz", packed.substr(0, packed.size() - 9), {}, HasSubstr("cut off"));
  std::string damaged = packed;
  damaged[15] = static_cast<char>(damaged[15] ^ 0x55);
  expect_error("f.gz", damaged, {}, HasSubstr("f.gz: the gzip file is damaged"));
#endif
}

// "한국어 문장입니다.\n둘째 줄\n"
constexpr const char* kCp949 =
    "\xC7\xD1\xB1\xB9\xBE\xEE \xB9\xAE\xC0\xE5\xC0\xD4\xB4\xCF\xB4\xD9.\n\xB5\xD1\xC2\xB0 "
    "\xC1\xD9\n";
constexpr const char* kUtf8 = "한국어 문장입니다.\n둘째 줄\n";

std::string utf16(const std::u16string& text, bool big) {
  std::string bytes;
  for (const char16_t unit : text) {
    const char low = static_cast<char>(unit & 0xFF), high = static_cast<char>(unit >> 8);
    bytes.push_back(big ? high : low);
    bytes.push_back(big ? low : high);
  }
  return bytes;
}

TEST_F(EmbedFiles, AnyEncodingIsTheSameText) {
  const std::u16string text = u"한국어 문장입니다.\n둘째 줄\n";
  const std::string wanted = vectors_of(kUtf8);
  for (const char* name : {"CP949", "euc-kr", "UHC", "windows-949"})
    expect_same("a.txt", kCp949, wanted, {"--encoding", name});
  expect_same("b.txt", utf16(text, false), wanted, {"--encoding", "UTF-16LE"});
  expect_same("b.txt", utf16(text, true), wanted, {"--encoding", "UTF-16BE"});
  expect_same("c.txt", utf16(u"\uFEFF" + text, false), wanted);
  expect_same("c.txt", utf16(u"\uFEFF" + text, true), wanted);
  expect_same("d.txt", utf16(u"\uFEFF" + text, true), wanted, {"--encoding", "UTF-16"});
  expect_same("e.txt", "\xEF\xBB\xBF" + std::string(kUtf8), wanted, {"--encoding", "UTF-8"});
}

TEST_F(EmbedFiles, AnotherEncodingIsNoUnknownToken) {
  expect_error("a.txt", kCp949, {},
               AllOf(HasSubstr("looks like CP949"), HasSubstr("--encoding CP949")));
  // Only far down, behind much ASCII.
  expect_error("b.txt", std::string(100'000, 'a') + "\n" + kCp949, {}, HasSubstr("CP949"));
  expect_error("c.csv", "id,text\n1," + std::string(kCp949), {}, HasSubstr("CP949"));
  expect_error("d.txt", utf16(u"한국어 문장\n", false), {}, HasSubstr("UTF-16LE"));
  expect_error("e.txt", utf16(u"한국어 문장\n", true), {}, HasSubstr("UTF-16BE"));
  expect_error("f.txt", utf16(u"plain text\n", false), {}, HasSubstr("UTF-16LE"));
  // However little there is of it.
  expect_error("s.txt", "\xC7\xCF\xB3\xAA\n\xB5\xD1\n", {}, HasSubstr("looks like CP949"));
  expect_error("s.txt", "\xC7\xCF\xB3\xAA", {}, HasSubstr("looks like CP949"));
  expect_error("u.txt", utf16(u"안녕하세요", false), {}, HasSubstr("looks like UTF-16LE"));
  expect_error("u.txt", utf16(u"안녕하세요", true), {}, HasSubstr("looks like UTF-16BE"));
  expect_error("u.txt", utf16(u"네\n", true), {}, HasSubstr("looks like UTF-16BE"));
  // A NUL in a text is dropped, or a space, as the dialect has it.
  EXPECT_EQ(run("n.txt", std::string("a\0b\n", 4)).out, run("n.txt", "ab\n").out);
  expect_error("g.txt",
               "\xE9t\xE9 \xE0 la fa\xE7on d'un th\xE9 tr\xE8s br\xFBl\xE9, o\xF9 \xE7\xE0\n", {},
               HasSubstr("is not UTF-8"));
  // Who says UTF-8 gets it, damage and all.
  EXPECT_EQ(run("a.txt", kCp949, {"--encoding", "UTF-8"}).status, 0);
  // A damaged line among others is damage, as it always was.
  EXPECT_EQ(run("h.txt", "사람이 \xB5\xD1 왔다\n").status, 0);
}

TEST_F(EmbedFiles, AnEncodingThatDoesNotExist) {
  const Result result = run("a.txt", "a\n", {"--encoding", "CP9494"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--encoding"), HasSubstr("CP9494")));
}

TEST_F(EmbedFiles, ACp949FileOfSentencesGivesTheVectorsOfTheUtf8One) {
  KLUE_SHARED_DATA_OR_SKIP(sentences, "data/klue_sentences.txt");
  // What CP949 has no code for would be lost on the way there, which is not what this is about.
  std::string utf8, cp949;
  int lines = 0;
  for (const std::string& line : lines_of(read_bytes(sentences))) {
    if (++lines > 1000) break;
    const Result encoded = klue::test::run("/usr/bin/iconv", {"-f", "UTF-8", "-t", "CP949"}, line);
    if (encoded.status != 0) continue;
    utf8 += line + "\n";
    cp949 += encoded.out + "\n";
    if (utf8.size() > 20'000) break;
  }
  EXPECT_GT(utf8.size(), 5'000u);
  expect_same("a.txt", cp949, vectors_of(utf8), {"--encoding", "CP949"});
}

TEST_F(EmbedFiles, BadLinesCanBeLeftOut) {
  const std::string jsonl = "{\"text\": \"사람\"}\n{\"text\": 3}\n{oops\n{\"text\": \"전\"}\n";
  const std::vector<std::string> skip{"--on-error", "skip"};
  expect_same("a.jsonl", jsonl, vectors_of("사람\n전\n"), skip);
  EXPECT_THAT(run("a.jsonl", jsonl, skip).err,
              AllOf(HasSubstr("line 2: \"text\" is no string: left out"),
                    HasSubstr("line 3: is no JSON: left out")));
  const Result null = run("a.jsonl", jsonl, {"--on-error", "null"});
  EXPECT_EQ(null.status, 0);
  const std::vector<float> values = floats_of(null.out);
  ASSERT_EQ(values.size(), 4u * 32);
  EXPECT_TRUE(std::isnan(values[32]) && std::isnan(values[95]));
  EXPECT_FALSE(std::isnan(values[31]) || std::isnan(values[96]));
  const auto file = directory_.write("a.jsonl", jsonl);
  const Result lines =
      embed_tiny({"--input", file.string(), "--on-error", "null", "--format", "jsonl", "--quiet"});
  EXPECT_EQ(lines_of(lines.out)[1], "{\"index\":1,\"embedding\":null}");
  expect_error("a.jsonl", jsonl, {"--on-error", "stop"}, HasSubstr("line 2: "));
  expect_error("b.jsonl", "{\"text\": \"a\",}\n", {}, HasSubstr("line 1: column 14: is no JSON"));
}

TEST_F(EmbedFiles, AColumnThatIsNotThere) {
  expect_error("a.csv", "id,text\n1,사람\n", {"--field", "3"},
               HasSubstr("a.csv: line 2: has no column 3 (expected at most 2)"));
}

TEST_F(EmbedFiles, ATextThatIsTooLongIsNamed) {
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"--truncation", "error"}, {"--long", "refuse"}}) {
    std::vector<std::string> arguments = how;
    arguments.insert(arguments.end(), {"--max-length", "5"});
    expect_error("a.txt", "전\n전\n이 다는 사람 전 대 사람\n", arguments,
                 HasSubstr("a.txt: line 3"));
    arguments.insert(arguments.end(), {"전", "이 다는 사람 전 대 사람"});
    EXPECT_THAT(embed_tiny(arguments).err, HasSubstr("text 2"));
    arguments.push_back("--tokenize");
    EXPECT_THAT(embed_tiny(arguments).err, HasSubstr("text 2"));
  }
}

TEST_F(EmbedFiles, TheNameOfAFileIsATextWithAWarning) {
  const auto file = directory_.write("a.txt", "사람\n");
  const Result result = embed_tiny({file.string()});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(lines_of(result.out).size(), 1u);
  EXPECT_THAT(result.err, HasSubstr("--input " + file.string()));
}

TEST(EmbedStream, ALineIsAnsweredBeforeTheNext) {
  int to[2], from[2];
  ASSERT_EQ(::pipe2(to, O_CLOEXEC) | ::pipe2(from, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    const std::string model = fixture("tiny-11").string();
    ::execl(KLUE_EMBED, KLUE_EMBED, "--model", model.c_str(), "--input", "-", nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  for (const std::string line : {"a\n", "사람\n", "\n"}) {
    ASSERT_EQ(::write(to[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
    std::string answer;
    for (char byte = 0; byte != '\n' && ::read(from[0], &byte, 1) == 1;)
      answer.push_back(byte);
    EXPECT_EQ(answer, embed_tiny({line.substr(0, line.size() - 1)}).out);
  }
  ::close(to[1]);
  ::close(from[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace klue::test
