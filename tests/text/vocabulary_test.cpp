#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/text/vocabulary.hpp>

#include "checkpoint/mutation.hpp"
#include "shared_data.hpp"

namespace klue {
namespace {

using namespace std::string_view_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(std::string_view vocab_txt) {
  try {
    Vocabulary::parse(vocab_txt, "dir/vocab.txt");
  } catch (const FormatError& error) {
    EXPECT_EQ(error.file(), "dir/vocab.txt");
    return error.what();
  }
  return "no error";
}

TEST(VocabularyTest, LineNumbersAreIds) {
  const auto vocabulary = Vocabulary::parse("[PAD]\n가\n##나\n");
  EXPECT_EQ(vocabulary.size(), 3u);
  EXPECT_EQ(vocabulary.piece(1), "가");
  EXPECT_EQ(vocabulary.find("##나"), 2);
  EXPECT_EQ(vocabulary.find("나"), std::nullopt);
  EXPECT_EQ(vocabulary.find(""), std::nullopt);
}

TEST(VocabularyTest, IdsOutsideAreRefused) {
  const auto vocabulary = Vocabulary::parse("a\nb\n");
  EXPECT_THROW(vocabulary.piece(2), UsageError);
  EXPECT_THROW(vocabulary.piece(-1), UsageError);
}

TEST(VocabularyTest, HarmlessOdditiesLoad) {
  EXPECT_THAT(Vocabulary::parse("a\nb").pieces(), ElementsAre("a", "b"));  // no final newline
  EXPECT_THAT(Vocabulary::parse("a\r\nb\r\n").pieces(), ElementsAre("a", "b"));
  EXPECT_THAT(Vocabulary::parse("\xEF\xBB\xBF[CLS]\nb\n").pieces(), ElementsAre("[CLS]", "b"));
  EXPECT_THAT(Vocabulary::parse("a b\n b\n　\n").pieces(), ElementsAre("a b", " b", "　"));
}

TEST(VocabularyTest, BlankLinesKeepTheirId) {
  const auto vocabulary = Vocabulary::parse("a\n\n\nb\n");
  EXPECT_EQ(vocabulary.find("b"), 3);
  EXPECT_EQ(vocabulary.piece(1), "");
  EXPECT_EQ(Vocabulary::parse("a\nb\n\n\n").size(), 2u);  // not at the end, where they are no ids
}

TEST(VocabularyTest, AVeryLongPieceLoads) {
  const std::string piece(1 << 20, 'x');
  EXPECT_EQ(Vocabulary::parse("a\n" + piece + "\nb\n").find(piece), 1);
}

TEST(VocabularyTest, DamageIsNamedWithItsLine) {
  EXPECT_THAT(error_of(""), HasSubstr("no pieces"));
  EXPECT_THAT(error_of("\n\n"), HasSubstr("no pieces"));
  EXPECT_THAT(error_of("\xEF\xBB\xBF"), HasSubstr("no pieces"));
  EXPECT_EQ(error_of("a\nb\na\n"),
            "dir/vocab.txt: line 3: the piece \"a\" occurs twice (found first on line 1)");
  EXPECT_THAT(error_of("a\nb\0c\n"sv), HasSubstr("line 2: a NUL byte"));
  EXPECT_THAT(error_of("a\0\nb\0\n\0"sv), HasSubstr("line 1: a NUL byte"));  // UTF-16
  for (const auto bad : {"\xFF", "\xC3", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80"})
    EXPECT_THAT(error_of("a\n" + std::string(bad) + "\n"),
                HasSubstr("line 2: a piece is not valid"));
  const std::string long_piece(1000, 'x');
  EXPECT_LT(error_of(long_piece + "\n" + long_piece + "\n").size(), 200u);
}

// A vocabulary that is cut short is a vocabulary, unless it is cut within a character.
TEST(VocabularyTest, DamageNeverDoesMoreThanFail) {
  const std::string whole = "\xEF\xBB\xBF[PAD]\r\n[UNK]\n한국\n\n##어\n\u3000\n";
  for (std::size_t size = 0; size < whole.size(); ++size)
    error_of(whole.substr(0, size));
  test::expect_byte_flips_survived(whole, 100'000, [](const auto& bytes) {
    Vocabulary::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
}

TEST(VocabularyTest, FilesThatAreNotThere) {
  EXPECT_THROW(Vocabulary::read("/nonexistent/vocab.txt"), IoError);
  EXPECT_THROW(Vocabulary::read(std::filesystem::temp_directory_path()), IoError);
}

TEST(VocabularyTest, ReadsTheRealOne) {
  KLUE_SHARED_DATA_OR_SKIP(path, "data/klue/vocab.txt");
  const auto vocabulary = Vocabulary::read(path);
  EXPECT_EQ(vocabulary.size(), 32000u);
  EXPECT_EQ(vocabulary.find("[CLS]"), 0);
  EXPECT_EQ(vocabulary.find("한국"), 3629);
}

}  // namespace
}  // namespace klue
