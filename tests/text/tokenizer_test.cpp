#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <klue/core/error.hpp>
#include <klue/text/tokenizer.hpp>

#include "shared_data.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::test {
namespace {

using namespace std::string_view_literals;
using ::testing::Each;
using ::testing::ElementsAre;

const std::vector<std::string> hangul = {"가", "나", "다", "##가", "##나", "##다", "가나", "."};

TEST(TokenizerTest, LongestPiecesFromTheLeft) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  EXPECT_THAT(pieces_of(tokenizer, "가나다 나가."), ElementsAre("가나", "##다", "나", "##가", "."));
  EXPECT_THAT(pieces_of(tokenizer, "가라"), ElementsAre("[UNK]"));
  EXPECT_THAT(pieces_of(tokenizer, ""), ElementsAre());
  EXPECT_THAT(pieces_of(tokenizer, " \n\u3000"), ElementsAre());
}

TEST(TokenizerTest, OffsetsAreBytesOfTheCallersText) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  const Tokens tokens = tokenizer.tokenize("  가나다.\u3000나");
  EXPECT_THAT(tokens.offsets,
              ElementsAre(Offset{2, 8}, Offset{8, 11}, Offset{11, 12}, Offset{15, 18}));
  EXPECT_THAT(tokens.word_ids, ElementsAre(0, 0, 1, 2));
}

TEST(TokenizerTest, DroppedCharactersInsideAWord) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  const Tokens tokens = tokenizer.tokenize("\u200b가\u200b나다\u200b 나");
  EXPECT_THAT(tokens.offsets, ElementsAre(Offset{3, 12}, Offset{12, 15}, Offset{19, 22}));
}

TEST(TokenizerTest, InvalidUtf8IsDroppedOrUnknown) {
  for (const auto bad : {"\xFF"sv, "\xC0"sv, "\xE2\x82"sv, "\xF0\x9F\x98"sv}) {
    const std::string text = "가" + std::string(bad) + "나다";
    const std::size_t after = 3 + bad.size();
    const Tokens dropped = small_tokenizer(hangul).tokenize(text);
    EXPECT_THAT(dropped.offsets, ElementsAre(Offset{0, after + 3}, Offset{after + 3, after + 6}));
    const Tokenizer tensorflow = small_tokenizer(hangul, Dialect::tensorflow);
    EXPECT_THAT(pieces_of(tensorflow, text), ElementsAre("[UNK]"));
    EXPECT_THAT(tensorflow.tokenize(text).offsets, ElementsAre(Offset{0, after + 6}));
  }
  EXPECT_THAT(pieces_of(small_tokenizer(hangul), "\xFF\xFE가"), ElementsAre("가"));
  // A vocabulary may even have a piece for it.
  const Tokenizer knows = small_tokenizer({"가", "##\uFFFD"}, Dialect::tensorflow);
  EXPECT_THAT(pieces_of(knows, "가\xFF"), ElementsAre("가", "##\uFFFD"));
  EXPECT_THAT(knows.tokenize("가\xFF").offsets, ElementsAre(Offset{0, 3}, Offset{3, 4}));
}

TEST(TokenizerTest, NulIsACharacterLikeAnyOther) {
  EXPECT_THAT(pieces_of(small_tokenizer(hangul), "가\0나"sv), ElementsAre("가나"));
  EXPECT_THAT(pieces_of(small_tokenizer(hangul, Dialect::tensorflow), "가\0나"sv),
              ElementsAre("가", "나"));
}

// The table of differences between the two dialects.
TEST(TokenizerTest, WhereTheDialectsDiffer) {
  const std::vector<std::string> pieces = {"가", "##가", "나",  "##나", "[",
                                           "]",  "M",    "##A", "##S",  "##K"};
  const Tokenizer hf = small_tokenizer(pieces), tf = small_tokenizer(pieces, Dialect::tensorflow);
  EXPECT_THAT(pieces_of(hf, "[MASK]"), ElementsAre("[MASK]"));
  EXPECT_THAT(pieces_of(tf, "[MASK]"), ElementsAre("[", "M", "##A", "##S", "##K", "]"));
  for (const auto* space : {"\u00a0", "\u3000", "\u2028"}) {
    const std::string text = "가" + std::string(space) + "나";
    EXPECT_THAT(pieces_of(hf, text), ElementsAre("가", "나"));
    EXPECT_THAT(pieces_of(tf, text), ElementsAre("[UNK]"));
  }
  for (const auto* control : {"\u200b", "\u00ad", "\v"}) {
    const std::string text = "가" + std::string(control) + "나";
    EXPECT_THAT(pieces_of(hf, text), ElementsAre("가", "##나"));
    EXPECT_THAT(pieces_of(tf, text), ElementsAre("가", "나"));
  }
  for (const auto* other : {"\uFFFD", "\uE000"}) {
    const std::string text = "가" + std::string(other) + "나";
    EXPECT_THAT(pieces_of(hf, text), ElementsAre("가", "##나"));
    EXPECT_THAT(pieces_of(tf, text), ElementsAre("[UNK]"));
  }
  for (const auto* ideograph : {"\U0002B820", "\U0002B91F"}) {
    const std::string text = "가" + std::string(ideograph) + "나";
    EXPECT_THAT(pieces_of(hf, text), ElementsAre("[UNK]"));
    EXPECT_THAT(pieces_of(tf, text), ElementsAre("가", "[UNK]", "나"));
  }
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i)
    result += text;
  return result;
}

TEST(TokenizerTest, TooLongWordsAreUnknown) {
  const Tokenizer hf = small_tokenizer(hangul);
  EXPECT_EQ(hf.tokenize(repeated("나", 100)).size(), 100u);
  EXPECT_THAT(pieces_of(hf, repeated("나", 101)), ElementsAre("[UNK]"));
  EXPECT_EQ(hf.tokenize(repeated("나\u200b", 100)).size(), 100u);  // dropped ones do not count
  EXPECT_THAT(pieces_of(hf, repeated("나\u200b", 101)), ElementsAre("[UNK]"));
  const Tokenizer tf = small_tokenizer(hangul, Dialect::tensorflow);
  EXPECT_EQ(tf.tokenize(repeated("나", 33)).size(), 33u);  // 99 bytes
  EXPECT_THAT(pieces_of(tf, repeated("나", 34)), ElementsAre("[UNK]"));
}

TEST(TokenizerTest, HugeWordsAndRunsOfMarks) {
  const std::string word = repeated("나", 350'000);
  for (const auto dialect : {Dialect::huggingface, Dialect::tensorflow}) {
    const Tokens tokens = small_tokenizer(hangul, dialect).tokenize(word + " 가");
    EXPECT_THAT(tokens.offsets,
                ElementsAre(Offset{0, word.size()}, Offset{word.size() + 1, word.size() + 4}));
  }
  TokenizerConfig uncased;
  uncased.lowercase = uncased.strip_accents = true;
  const Tokenizer tokenizer = small_tokenizer({"a", "##i"}, Dialect::huggingface, uncased);
  EXPECT_THAT(pieces_of(tokenizer, "A" + repeated("\u0301\u0323", 5'000)), ElementsAre("a"));
  EXPECT_THAT(pieces_of(tokenizer, repeated("İ", 100'000)), ElementsAre("[UNK]"));
  // No limit on words: as long as it gets, and no stack or square of anything.
  uncased.max_input_chars_per_word = 1u << 30;
  EXPECT_EQ(small_tokenizer({"a", "##i"}, Dialect::huggingface, uncased)
                .tokenize("A" + repeated("İ", 100'000))
                .size(),
            100'001u);
}

TEST(TokenizerTest, AddedTokensInVeryManyPlaces) {
  const Tokens tokens = small_tokenizer(hangul).tokenize(repeated("[MASK]", 100'000));
  EXPECT_EQ(tokens.size(), 100'000u);
  EXPECT_THAT(tokens.ids, Each(4));
  EXPECT_EQ(tokens.word_ids.back(), 99'999);
  EXPECT_EQ(small_tokenizer(hangul).tokenize(repeated("[", 100'000)).size(), 100'000u);
}

// More text than 32 bits can count, of which only two pages are ever touched.
TEST(TokenizerTest, TextsOfMoreThanFourGigabytes) {
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  constexpr std::size_t size = (std::size_t{1} << 32) + 4096;
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) GTEST_SKIP() << "needs 4 GiB of address space";
  char* const text = static_cast<char*>(memory);
  constexpr std::string_view word = "가나다";
  word.copy(text + size - word.size(), word.size());
  const Tokens tokens = small_tokenizer(hangul).tokenize({text, size});
  EXPECT_THAT(tokens.offsets, ElementsAre(Offset{size - 9, size - 3}, Offset{size - 3, size}));
  ::munmap(memory, size);
#else
  GTEST_SKIP() << "takes too long without optimisation";
#endif
}

TEST(TokenizerTest, EncodeFillsTheTemplate) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  const Encoding one = tokenizer.encode("가나 다");
  EXPECT_THAT(one.ids, ElementsAre(0, 11, 7, 2));
  EXPECT_THAT(one.offsets, ElementsAre(Offset{}, Offset{0, 6}, Offset{7, 10}, Offset{}));
  EXPECT_THAT(one.special_tokens_mask, ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(one.word_ids, ElementsAre(-1, 0, 1, -1));
  EXPECT_THAT(one.sequence_ids, ElementsAre(-1, 0, 0, -1));
  EXPECT_THAT(one.attention_mask, Each(1));
  const Encoding two = tokenizer.encode("가", "나");
  EXPECT_THAT(two.ids, ElementsAre(0, 5, 2, 6, 2));
  EXPECT_THAT(two.type_ids, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_THAT(two.sequence_ids, ElementsAre(-1, 0, -1, 1, -1));
  EXPECT_THAT(tokenizer.encode("가", "나", {.add_special_tokens = false}).ids, ElementsAre(5, 6));
}

TEST(TokenizerTest, EncodeCutsToTheLength) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  EXPECT_THAT(tokenizer.encode("가 나 다 가", {}, {.max_length = 4}).ids, ElementsAre(0, 5, 6, 2));
  EXPECT_THAT(
      tokenizer
          .encode("가 나 다 가", {}, {.max_length = 4, .truncation_side = TruncationSide::left})
          .ids,
      ElementsAre(0, 7, 5, 2));
  EXPECT_THAT(tokenizer.encode("가", {}, {.max_length = 2}).ids, ElementsAre(0, 2));
  EXPECT_THROW(tokenizer.encode("가", {}, {.max_length = 1}), UsageError);
  EXPECT_THROW(tokenizer.encode("가 나", {}, {.max_length = 3, .truncation = Truncation::error}),
               UsageError);
  EXPECT_NO_THROW(
      tokenizer.encode("가 나", {}, {.max_length = 4, .truncation = Truncation::error}));
}

TEST(TokenizerTest, WindowsFollowTheTextThatStandsFirst) {
  using Kind = TemplatePiece::Kind;
  TokenizerFiles files = small_files({"가", "나", "다"});
  files.config.pair = {{Kind::second_text, {}, 0}, {Kind::first_text, {}, 1}};
  const Tokenizer tokenizer(std::move(files));
  const Encoding encoding =
      tokenizer.encode("가 나", "다 가", {.max_length = 2, .return_overflowing = true});
  EXPECT_THAT(encoding.ids, ElementsAre(7, 5));
  ASSERT_EQ(encoding.overflowing.size(), 3u);
  EXPECT_THAT(encoding.overflowing[0].ids, ElementsAre(5, 5));
  EXPECT_THAT(encoding.overflowing[1].ids, ElementsAre(5, 6));
  EXPECT_THAT(encoding.overflowing[2].ids, ElementsAre(7, 6));
}

TEST(TokenizerTest, TextsAreWhatAddedTokensMatched) {
  TokenizerConfig config;
  config.lowercase = config.strip_accents = true;
  config.added_tokens = {{.content = "<É>", .id = 6, .lstrip = true},
                         {.content = "#", .id = 7, .rstrip = true, .normalized = false}};
  const Tokenizer tokenizer = small_tokenizer({"a"}, Dialect::huggingface, config);
  const std::string text = "[MASK]a <é>A#  <É>";
  EXPECT_THAT(tokenizer.texts(tokenizer.tokenize(text)),
              ElementsAre("[MASK]", "a", " <e>", "a", "#  ", "<e>"));
  // The second and third windows of three tokens each.
  const Encoding encoding =
      tokenizer.encode(text, {}, {.max_length = 5, .stride = 1, .return_overflowing = true});
  EXPECT_THAT(tokenizer.texts(encoding), ElementsAre("[CLS]", "[MASK]", "a", " <e>", "[SEP]"));
  ASSERT_EQ(encoding.overflowing.size(), 2u);
  EXPECT_THAT(tokenizer.texts(encoding.overflowing[0]),
              ElementsAre("[CLS]", " <e>", "a", "#  ", "[SEP]"));
  EXPECT_THAT(tokenizer.texts(encoding.overflowing[1]),
              ElementsAre("[CLS]", "#  ", "<e>", "[SEP]"));
}

TEST(TokenizerTest, OverflowingWindowsShareTheStride) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  const Encoding encoding = tokenizer.encode(
      "가 나 다 가 나", {}, {.max_length = 5, .stride = 1, .return_overflowing = true});
  EXPECT_THAT(encoding.ids, ElementsAre(0, 5, 6, 7, 2));
  ASSERT_EQ(encoding.overflowing.size(), 1u);
  EXPECT_THAT(encoding.overflowing[0].ids, ElementsAre(0, 7, 5, 6, 2));
  EXPECT_THROW(tokenizer.encode("가 나 다 가 나", {},
                                {.max_length = 5, .stride = 3, .return_overflowing = true}),
               UsageError);
}

TEST(TokenizerTest, DecodeJoinsAndCleansUp) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  const auto ids = tokenizer.encode("가나다 나가.").ids;
  EXPECT_EQ(tokenizer.decode(ids), "가나다 나가.");
  EXPECT_EQ(tokenizer.decode(ids, {.skip_special_tokens = false}), "[CLS] 가나다 나가. [SEP]");
  EXPECT_EQ(tokenizer.decode(ids, {.clean_up = false}), "가나다 나가 .");
  EXPECT_EQ(tokenizer.decode({}), "");
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{8, 9}), "##가나");  // the first one keeps it
}

TEST(TokenizerTest, DecodeRefusesIdsOutsideTheVocabulary) {
  const Tokenizer tokenizer = small_tokenizer(hangul);
  EXPECT_THROW(tokenizer.decode(std::vector<std::int32_t>{13}), UsageError);
  EXPECT_THROW(tokenizer.decode(std::vector<std::int32_t>{-1}), UsageError);
  EXPECT_THROW(tokenizer.token(13), UsageError);
}

TEST(TokenizerTest, SpecialTokensAreInTheVocabularyOrItFails) {
  for (const auto member : {&TokenizerConfig::unk_token, &TokenizerConfig::cls_token,
                            &TokenizerConfig::sep_token, &TokenizerConfig::pad_token}) {
    TokenizerConfig config;
    config.*member = "<missing>";
    EXPECT_THROW(small_tokenizer(hangul, Dialect::huggingface, config), FormatError);
  }
  TokenizerConfig no_mask;
  no_mask.mask_token = "<missing>";
  EXPECT_EQ(small_tokenizer(hangul, Dialect::huggingface, no_mask).special_ids().mask,
            std::nullopt);
}

TEST(TokenizerTest, AddedTokensMustNotContradictTheVocabulary) {
  const auto with = [](AddedToken token) {
    TokenizerConfig config;
    config.added_tokens = {std::move(token)};
    return small_tokenizer(hangul, Dialect::huggingface, config);
  };
  EXPECT_THROW(with({.content = "<new>", .id = 6}), FormatError);  // the id of "나"
  EXPECT_THROW(with({.content = "나", .id = 7}), FormatError);
  const Tokenizer tokenizer = with({.content = "<new>", .id = 15});
  EXPECT_EQ(tokenizer.vocabulary().size(), 16u);
  EXPECT_THAT(pieces_of(tokenizer, "가<new>나"), ElementsAre("가", "<new>", "나"));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{5, 14, 15}), "가 <new>");  // 14 is no piece
}

TEST(TokenizerTest, TensorflowHasNoLowerCase) {
  TokenizerConfig config;
  config.lowercase = true;
  EXPECT_THROW(small_tokenizer(hangul, Dialect::tensorflow, config), UnsupportedError);
}

TEST(TokenizerTest, PublishedTokenizations) {
  KLUE_SHARED_DATA_OR_SKIP(model, "data/klue");
  const Tokenizer tokenizer(read_tokenizer_files(model));
  EXPECT_THAT(
      tokenizer.encode("토크나이저는 텍스트를 토큰 단위로 나눈다.").ids,
      ElementsAre(0, 9157, 7461, 2190, 2259, 8509, 2138, 1793, 2855, 5385, 2200, 20950, 18, 2));
  EXPECT_THAT(tokenizer.encode("첫 번째 문장", "두 번째 문장").ids,
              ElementsAre(0, 1656, 1141, 3135, 6265, 2, 864, 1141, 3135, 6265, 2));
}

}  // namespace
}  // namespace klue::test
