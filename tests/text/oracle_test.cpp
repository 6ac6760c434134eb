// The tokenizer against a slow and obvious one, on a million generated texts.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <klue/text/tokenizer.hpp>

#include "shared_data.hpp"
#include "text/random_text.hpp"
#include "text/slow_tokenizer.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::test {
namespace {

// Sanitizers and debug builds are ten and more times slower; they look for other mistakes.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int effort = 50;
#else
constexpr int effort = 1;
#endif

std::string hex(std::string_view text) {
  std::string result;
  for (const char byte : text) {
    constexpr std::string_view digits = "0123456789abcdef";
    result += "\\x";
    result += digits[static_cast<unsigned char>(byte) >> 4];
    result += digits[static_cast<unsigned char>(byte) & 15];
  }
  return result;
}

/// Calls `text()` `count` times and compares.
template <class MakeText>
void expect_same(const Vocabulary& vocabulary, const Tokenizer& fast, int count, MakeText text) {
  const SlowTokenizer slow(vocabulary, fast.config(), fast.dialect());
  Tokens tokens;
  for (int i = 0; i < count; ++i) {
    const std::string input = text();
    fast.tokenize(input, tokens);
    const Tokens expected = slow.tokenize(input);
    ASSERT_EQ(tokens.ids, expected.ids) << input << "\n" << hex(input);
    ASSERT_EQ(tokens.offsets, expected.offsets) << input << "\n" << hex(input);
    ASSERT_EQ(tokens.word_ids, expected.word_ids) << input << "\n" << hex(input);
  }
}

class OracleTest : public ::testing::TestWithParam<Dialect> {};

TEST_P(OracleTest, AgreesOnTheRealVocabulary) {
  KLUE_SHARED_DATA_OR_SKIP(model, "data/klue");
  const TokenizerFiles files = read_tokenizer_files(model);
  const Tokenizer fast(read_tokenizer_files(model), GetParam());
  Random random(1);
  expect_same(files.vocabulary, fast, 6'000 * effort,
              [&] { return random_text(random, files.vocabulary.pieces()); });
}

// Vocabularies in which every piece is a prefix or suffix of others, so that failure links lead
// through long chains.
TEST_P(OracleTest, AgreesOnChains) {
  const std::vector<std::vector<std::string>> vocabularies = {
      {"a", "##a", "aaa", "##aaa", "aaaaab", "##aaaaab", "##b"},
      {"a", "aa", "aaaa", "aaaaaaaa", "##a", "##aaaaaaaab"},
      {"##", "###", "#", "a", "##a", "##b", "ab", "##ab", "##abab", "ababac", "##ababac"},
      {"abcd", "##bcdx", "##cdy", "##dz", "##b", "##c", "##d", "abcdefg", "##efg", "##e"},
      {"가", "가나", "가나다라", "##나", "##다", "##나다", "##다라마", "##라"},
      {"a", "[", "a]", "[a", "##]", "##[MASK]", " a", "a b"}};
  Random random(2);
  for (const auto& pieces : vocabularies) {
    const std::u32string alphabet = U"aaaaab#cdefg가나다라마[] ";
    const TokenizerFiles files = small_files(pieces);
    expect_same(files.vocabulary, small_tokenizer(pieces, GetParam()), 700 * effort, [&] {
      std::string text;
      for (std::size_t length = random(random(8) == 0 ? 120 : 24); length > 0; --length)
        append_utf8(text, random(2) == 0 ? U'a' : random.pick(alphabet));
      return text;
    });
  }
}

TEST_P(OracleTest, AgreesOnRandomVocabularies) {
  Random random(3);
  const std::u32string alphabet = U"ab가é";
  const auto random_word = [&](std::size_t longest) {
    std::string word;
    for (std::size_t length = 1 + random(longest); length > 0; --length)
      append_utf8(word, random.pick(alphabet));
    return word;
  };
  for (int round = 0; round < 20 * effort; ++round) {
    std::vector<std::string> pieces;
    for (std::size_t n = 1 + random(12); n > 0; --n) {
      const std::string piece = (random(2) == 0 ? "##" : "") + random_word(5);
      if (std::find(pieces.begin(), pieces.end(), piece) == pieces.end()) pieces.push_back(piece);
    }
    const TokenizerFiles files = small_files(pieces);
    TokenizerConfig config;
    if (random(4) == 0) config.max_input_chars_per_word = random(6);
    expect_same(files.vocabulary, small_tokenizer(pieces, GetParam(), config), 200, [&] {
      return random(3) == 0 ? random_text(random, files.vocabulary.pieces()) : random_word(12);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Dialects, OracleTest,
                         ::testing::Values(Dialect::huggingface, Dialect::tensorflow),
                         [](const auto& test) {
                           return test.param == Dialect::huggingface ? "huggingface" : "tensorflow";
                         });

}  // namespace
}  // namespace klue::test
