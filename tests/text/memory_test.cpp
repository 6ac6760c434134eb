// What tokenizers take to load and texts to be tokenized, measured: memory is in proportion to what
// is read, also where files and texts are made to need much.

#include <cstddef>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include <klue/core/error.hpp>

#include "counted_memory.hpp"
#include "text/random_text.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::test {
namespace {

/// Bytes that `work` has allocated at most at one time, for each of `bytes`.
double peak_per_byte(std::size_t bytes, const std::function<void()>& work) {
  const std::size_t peak = peak_bytes_of([&] {
    try {
      work();
    } catch (const UnsupportedError&) {
    }
  });
  return static_cast<double>(peak) / static_cast<double>(bytes);
}

/// docs/tokenization.md promises these, for files and texts of some size.
constexpr double most_for_files = 128, most_for_texts = 80;
constexpr std::size_t file_size = 1'000'000, text_size = 4'000'000;

std::string vocabulary_of(std::size_t bytes, std::size_t length, std::size_t letters) {
  std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\n";
  Random random(3);
  for (std::size_t line = 0; text.size() < bytes; ++line) {
    std::string piece = random(2) == 0 ? "##" : "";
    for (std::size_t i = 0; i < length; ++i)
      append_utf8(piece, static_cast<char32_t>(0x4E00 + random(letters)));
    text.append(piece).append(std::to_string(line)).append("\n");
  }
  return text;
}

TEST(TextMemoryTest, OfAVocabularyIsInProportionToTheFile) {
  for (const auto& [length, letters] :
       {std::pair(1, 20'000), std::pair(2, 20'000), std::pair(30, 2), std::pair(90, 20'000)}) {
    const std::string vocab_txt = vocabulary_of(file_size, static_cast<std::size_t>(length),
                                                static_cast<std::size_t>(letters));
    EXPECT_LT(peak_per_byte(vocab_txt.size(),
                            [&] { Tokenizer(detail::parse_vocabulary_file(vocab_txt)); }),
              most_for_files)
        << length << " of " << letters;
  }
}

// Long pieces of one-byte characters: a node of the trie for every byte of the file.
TEST(TextMemoryTest, OfAVocabularyOfChains) {
  std::string vocab_txt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  Random random(4);
  while (vocab_txt.size() < file_size) {
    for (std::size_t i = 0; i < 95; ++i)
      vocab_txt += static_cast<char>('a' + random(26));
    vocab_txt += '\n';
  }
  EXPECT_LT(
      peak_per_byte(vocab_txt.size(), [&] { Tokenizer(detail::parse_vocabulary_file(vocab_txt)); }),
      most_for_files);
  // Every intermediate state pops a growing chain of single letters.
  for (char c = 'a'; c <= 'z'; ++c)
    vocab_txt.append(1, c).append("\n##").append(1, c).append("\n");
  EXPECT_LT(
      peak_per_byte(vocab_txt.size(), [&] { Tokenizer(detail::parse_vocabulary_file(vocab_txt)); }),
      most_for_files);
}

// A few nodes with thousands of children each, of characters that lie far apart.
TEST(TextMemoryTest, OfAVocabularyOfScatteredCharacters) {
  std::string vocab_txt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char32_t c = 0x3400; c < 0x4DB0; ++c) {
    append_utf8(vocab_txt, c);
    vocab_txt += '\n';
  }
  Random random(5);
  std::vector<char32_t> scattered;
  for (int i = 0; i < 300; ++i)
    scattered.push_back(static_cast<char32_t>(0x3400 + i * 21 + static_cast<int>(random(21))));
  for (char32_t first = 0; vocab_txt.size() < file_size; ++first)
    for (const char32_t c : scattered) {
      append_utf8(vocab_txt, 0xAC00 + first);
      append_utf8(vocab_txt, c);
      vocab_txt += '\n';
    }
  EXPECT_LT(
      peak_per_byte(vocab_txt.size(), [&] { Tokenizer(detail::parse_vocabulary_file(vocab_txt)); }),
      most_for_files);
}

TEST(TextMemoryTest, OfATokenizerJsonOfAddedTokens) {
  std::string json =
      R"({"model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}},
          "pre_tokenizer": {"type": "BertPreTokenizer"}, "added_tokens": [)";
  for (int i = 0; json.size() < file_size; ++i)
    json.append(i == 0 ? "" : ",")
        .append("{\"id\":")
        .append(std::to_string(4 + i))
        .append(",\"content\":\"<")
        .append(std::to_string(i))
        .append(">\"}");
  json += "]}";
  EXPECT_LT(peak_per_byte(json.size(), [&] { Tokenizer(detail::parse_tokenizer_json(json)); }),
            most_for_files);
}

TEST(TextMemoryTest, OfTextIsInProportionToIt) {
  TokenizerConfig uncased;
  uncased.lowercase = uncased.strip_accents = true;
  TokenizerConfig with_token = uncased;
  with_token.added_tokens = {{.content = "<É>", .id = 7}};
  for (const TokenizerConfig& config : {TokenizerConfig{}, uncased, with_token}) {
    const Tokenizer tokenizer = small_tokenizer({"a", "##a"}, Dialect::huggingface, config);
    for (const char* unit : {"a", "가", "!", "a ", "\u0301", "大", "<e>", "Á"}) {
      std::string text;
      while (text.size() < text_size)
        text += unit;
      EXPECT_LT(peak_per_byte(text.size(), [&] { tokenizer.tokenize(text); }), most_for_texts)
          << unit << (config.lowercase ? " uncased" : "") << config.added_tokens.size();
    }
  }
}

TEST(TextMemoryTest, OfUncasedWordsWithoutAnEndIsNone) {
  TokenizerConfig config;
  config.lowercase = config.strip_accents = true;
  const Tokenizer tokenizer = small_tokenizer({"a"}, Dialect::huggingface, config);
  for (const char* unit : {"a", "가", "É"}) {
    std::string text;
    while (text.size() < text_size)
      text += unit;
    EXPECT_LT(peak_per_byte(text.size(), [&] { tokenizer.tokenize(text); }), 3) << unit;
  }
}

}  // namespace
}  // namespace klue::test
