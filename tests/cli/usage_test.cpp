// How embed is called: help, notices, exit statuses and messages.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/scratch_directory.hpp"
#include "cli/command.hpp"

namespace klue::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

void expect_wrong_usage(const std::vector<std::string>& arguments, const char* message) {
  const Result result = embed(arguments);
  EXPECT_EQ(result.status, 2) << testing::PrintToString(arguments);
  EXPECT_THAT(result.err, HasSubstr(message)) << testing::PrintToString(arguments);
  EXPECT_THAT(result.out, IsEmpty());
}

void expect_failure(const Result& result, const char* message) {
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, StartsWith("embed: "));
  EXPECT_THAT(result.err, HasSubstr(message));
  EXPECT_EQ(lines_of(result.err).size(), 1u) << result.err;
}

TEST(EmbedUsage, HelpNamesEveryFlagAndEveryChoice) {
  const Result result = embed({"--help"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, IsEmpty());
  for (const char* word : {"TEXT",
                           "--model",
                           "--preprocessor",
                           "--input",
                           "--input-format",
                           "lines",
                           "tsv",
                           "jsonl",
                           "--output",
                           "pooled",
                           "sequence",
                           "layers",
                           "embedding",
                           "--pooling",
                           "auto",
                           "pooler",
                           "cls",
                           "mean",
                           "max",
                           "--normalize",
                           "--format",
                           "text",
                           "csv",
                           "npy",
                           "f32",
                           "--out",
                           "--tokenize",
                           "--similarity",
                           "--dialect",
                           "huggingface",
                           "tensorflow",
                           "--max-length",
                           "--seq-length",
                           "--truncation",
                           "longest_first",
                           "only_first",
                           "only_second",
                           "round_robin",
                           "waterfall",
                           "error",
                           "--engine",
                           "auto|packed|eigen|onednn",
                           "--threads",
                           "--batch-tokens",
                           "--quiet",
                           "--version",
                           "--info",
                           "--help",
                           "Exit status: 0 done, 1 could not do it, 2 wrong usage."})
    EXPECT_THAT(result.out, HasSubstr(word));
}

TEST(EmbedUsage, HelpFitsTheScreen) {
  for (const std::string& line : lines_of(embed({"--help"}).out)) {
    const auto columns = std::ranges::count_if(
        line, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
    EXPECT_LE(columns, 100) << line;
  }
}

TEST(EmbedUsage, VersionIsTheProjects) {
  const Result result = embed({"--version"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "embed " KLUE_VERSION "\n");
}

TEST(EmbedUsage, NothingToDo) {
  expect_wrong_usage({}, "nothing to do");
  expect_wrong_usage({"--model", fixture("tiny-11").string()}, "--input FILE");
}

TEST(EmbedUsage, UnknownFlags) {
  expect_wrong_usage({"--bogus", "사람"}, "--bogus");
  expect_wrong_usage({"-x"}, "-x");
  expect_wrong_usage({"--modle=demo", "사람"}, "--modle");
}

TEST(EmbedUsage, ValuesThatAFlagDoesNotTake) {
  expect_wrong_usage({"사람", "--format", "xml"}, "text|jsonl|csv|npy|f32");
  expect_wrong_usage({"사람", "--pooling", "sum"}, "auto|pooler|cls|mean|max|mean_sqrt_len");
  expect_wrong_usage({"사람", "--output", "0"}, "embedding|pooled|sequence|layers|logits");
  expect_wrong_usage({"사람", "--input-format", "xml"}, "lines|tsv|jsonl");
  expect_wrong_usage({"사람", "--dialect", "google"}, "huggingface|tensorflow");
  expect_wrong_usage({"사람", "--truncation", "never"}, "longest_first|only_first");
  expect_wrong_usage({"사람", "--engine", "mkl"}, "auto|packed|eigen|onednn");
  expect_wrong_usage({"사람", "--precision", "f64"}, "f32|bf16|int8");
  for (const char* flag : {"--threads", "--max-length", "--seq-length", "--batch-tokens"})
    for (const char* value : {"-1", "many", "1.5", "99999999999999999999", ""})
      expect_wrong_usage({"사람", flag, value}, flag);
  for (const char* flag : {"--max-length", "--seq-length", "--batch-tokens"})
    expect_wrong_usage({"사람", flag, "0"}, flag);
  for (const char* flag : {"--model", "--input", "--out", "--format"})
    expect_wrong_usage({"사람", flag}, flag);
}

TEST(EmbedUsage, NumbersThatAreNone) {
  for (const char* flag : {"--duplicates", "--communities"})
    for (const char* value : {"nan", "inf", "-1.5", "2", "much", ""})
      expect_wrong_usage({"사람", flag, value}, "expected a number from -1 to 1, found");
}

TEST(EmbedUsage, NamesThatAreEmpty) {
  expect_wrong_usage({"사람", "--out", ""}, "--out: expected a file's name");
  expect_wrong_usage({"--input", ""}, "--input: expected a file's name");
}

TEST(EmbedUsage, FlagsThatWouldChangeNothing) {
  for (const std::vector<std::string>& flag : {std::vector<std::string>{"--input-format", "jsonl"},
                                               {"--field", "2"},
                                               {"--pair-field", "3"},
                                               {"--id-field", "id", "--format", "jsonl"},
                                               {"--encoding", "CP949"},
                                               {"--on-error", "skip"}}) {
    std::vector<std::string> arguments = flag;
    arguments.insert(arguments.begin(), "사람");
    expect_wrong_usage(arguments, "how --input is read");
    EXPECT_THAT(embed(arguments).err, HasSubstr(flag[0]));
  }
  for (const std::vector<std::string>& flag :
       {std::vector<std::string>{"--tokenize"}, {"--output", "sequence"}, {"--output", "layers"}}) {
    std::vector<std::string> arguments = flag;
    arguments.insert(arguments.end(), {"--input", "-", "--on-error", "null"});
    expect_wrong_usage(arguments, "--on-error null");
    arguments = flag;
    arguments.insert(arguments.end(), {"사람", "--long", "windows"});
    expect_wrong_usage(arguments, "--long windows");
  }
  expect_wrong_usage({"사람", "--output", "logits", "--long", "windows"}, "--long windows");
}

TEST(EmbedUsage, FlagsThatContradictEachOther) {
  expect_wrong_usage({"사람", "--input", "-"}, "exclude each other");
  expect_wrong_usage({"사람", "--tokenize", "--similarity"}, "exclude each other");
  expect_wrong_usage({"사람", "--similarity", "--output", "sequence"},
                     "--output sequence, layers or logits");
  for (const char* output : {"layers", "logits"})
    expect_wrong_usage({"사람", "--similarity", "--output", output}, "layers or logits");
  expect_wrong_usage({"사람", "--output", "logits", "--pooling", "mean"}, "--pooling or --norm");
  expect_wrong_usage({"사람", "--output", "logits", "--normalize"}, "--pooling or --normalize");
  expect_wrong_usage({"사람", "--output", "pooled", "--pooling", "mean"}, "another --pooling");
}

TEST(EmbedUsage, TextsAfterTwoDashesAreTexts) {
  const Result result = embed_tiny({"--", "--help"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(lines_of(result.out).size(), 1u);
}

// ---------------------------------------------------------------------------------- notices

TEST(EmbedNotices, TheDemoModelSaysThatItIsADemo) {
  const Result result = embed({"사람"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("demo model"));
  EXPECT_EQ(lines_of(result.err).size(), 1u);
  EXPECT_EQ(lines_of(result.out).size(), 1u);

  const Result quiet = embed({"사람", "--quiet"});
  EXPECT_EQ(quiet.status, 0);
  EXPECT_THAT(quiet.err, IsEmpty());
  EXPECT_EQ(quiet.out, result.out);
}

TEST(EmbedNotices, AModelOfOnesOwnNeedsNone) {
  const Result result = embed_tiny({"사람"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST(EmbedInfo, AloneIsTheResult) {
  const Result result = embed_tiny({"--info", "--threads", "2"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, IsEmpty());
  for (const std::string& part :
       {fixture("tiny-11").string(), std::string("model.safetensors"), std::string("roberta"),
        std::string("1200 pieces"), std::string("512"), std::string("huggingface"),
        std::string("mean"), std::string("packed, "), std::string("2 threads")})
    EXPECT_THAT(result.out, HasSubstr(part));
}

TEST(EmbedInfo, WithTextsKeepsTheResultClean) {
  const Result plain = embed_tiny({"사람"}), info = embed_tiny({"--info", "사람"});
  EXPECT_EQ(info.status, 0);
  EXPECT_EQ(info.out, plain.out);
  EXPECT_THAT(info.err, HasSubstr("1200 pieces"));
}

TEST(EmbedInfo, TellsThatThereIsNoPooler) {
  EXPECT_THAT(embed({"--info", "--model", fixture("tiny-11-no-pooler").string()}).out,
              testing::ContainsRegex("pooler +none"));
  EXPECT_THAT(embed_tiny({"--info"}).out, testing::ContainsRegex("pooler +yes"));
}

TEST(EmbedInfo, NamesTheHead) {
  const auto info = [](const char* name) {
    return embed({"--info", "--model", fixture(name).string()}).out;
  };
  EXPECT_THAT(info("tiny-11-bare"), testing::ContainsRegex("head +none"));
  EXPECT_THAT(info("tiny-11"),
              testing::ContainsRegex("head +masked language model; tasks: fill-mask"));
  EXPECT_THAT(info("tiny-11-seqcls"),
              testing::ContainsRegex("head +classifier on the first token: 3 labels: LABEL_0, "));
}

// --------------------------------------------------------------------------------- failures

TEST(EmbedFailures, NoSuchModel) {
  expect_failure(embed({"--model", "/no/such/model", "사람"}), "/no/such/model: no such model");
}

TEST(EmbedFailures, AModelDirectoryWithFilesMissing) {
  for (const char* missing : {"config.json", "model.safetensors"}) {
    const ScratchDirectory directory;
    for (const auto& file : std::filesystem::directory_iterator(fixture("tiny-11")))
      if (file.path().filename() != missing)
        std::filesystem::copy(file.path(), directory.path() / file.path().filename());
    expect_failure(embed({"--model", directory.path().string(), "사람"}), missing);
  }
}

TEST(EmbedFailures, APointerInsteadOfWeights) {
  const ScratchDirectory directory;
  std::filesystem::copy(fixture("tiny-11"), directory.path());
  directory.write("model.safetensors", "version https://git-lfs.github.com/spec/v1\nsize 1\n");
  expect_failure(embed({"--model", directory.path().string(), "사람"}), "git lfs pull");
}

TEST(EmbedFailures, AnOutputThatTheCheckpointLacks) {
  const std::string model = fixture("tiny-11-no-pooler").string();
  expect_failure(embed({"--model", model, "--output", "pooled", "사람"}), "mean or cls pooling");
  expect_failure(embed({"--model", model, "--pooling", "pooler", "사람"}), "mean or cls pooling");
}

TEST(EmbedFailures, LogitsWithoutAClassifier) {
  expect_failure(embed_tiny({"--output", "logits", "사람"}), "no classifier of texts");
}

TEST(EmbedFailures, ALengthThatTheModelLacks) {
  expect_failure(embed_tiny({"--max-length", "513", "사람"}), "max_length");
  expect_failure(embed_tiny({"--seq-length", "513", "--output", "sequence", "사람"}), "seq_length");
  expect_failure(embed_tiny({"--max-length", "1", "사람"}), "special tokens");
}

TEST(EmbedFailures, NoSuchInput) {
  expect_failure(embed_tiny({"--input", "/no/such/file"}), "/no/such/file: cannot open");
  expect_failure(embed_tiny({"--input", "/tmp"}), "is a directory");
}

TEST(EmbedFailures, AnUnwritableOutput) {
  expect_failure(embed_tiny({"사람", "--out", "/no/such/directory/file"}),
                 "/no/such/directory/file: cannot write");
  expect_failure(embed_tiny({"사람", "--out", "/tmp"}), "/tmp: cannot write");
}

TEST(EmbedFailures, AFullDiskInEveryFormat) {
  for (const char* format : {"text", "jsonl", "csv", "npy", "f32"})
    for (const char* output : {"embedding", "sequence"}) {
      SCOPED_TRACE(std::string(format) + " " + output);
      expect_failure(
          embed_tiny({"사람", "--format", format, "--output", output, "--out", "/dev/full"}),
          "/dev/full: cannot write");
      expect_failure(embed_tiny({"사람", "--format", format, "--output", output}, {}, "/dev/full"),
                     "standard output: cannot write");
    }
  expect_failure(embed_tiny({"사람", "--tokenize"}, {}, "/dev/full"), "cannot write");
  expect_failure(embed_tiny({"사람", "--similarity"}, {}, "/dev/full"), "cannot write");
}

TEST(EmbedFailures, HelpThatCannotBeWritten) {
  for (const char* flag : {"--help", "--version", "--info"})
    expect_failure(embed_tiny({flag}, {}, "/dev/full"), "standard output: cannot write");
}

}  // namespace
}  // namespace klue::test
