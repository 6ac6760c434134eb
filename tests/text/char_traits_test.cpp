// Every code point behaves as the reference tables say, seen from outside: between 가 and 나 it is
// dropped, splits, stands alone, or makes the word another one.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/utf8.hpp>
#include <klue/text/detail/char_traits.hpp>

#include "shared_data.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::test {
using namespace detail;
namespace {

constexpr char32_t last_code_point = 0x10FFFF;

bool is_scalar_value(char32_t c) {
  return c < 0xD800 || c > 0xDFFF;
}

/// Lines "first last column…" in hexadecimal; the columns of every code point that has a line.
std::map<char32_t, std::vector<std::string>> read_classes(const std::filesystem::path& path) {
  std::map<char32_t, std::vector<std::string>> classes;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream fields(line);
    std::uint32_t first = 0, last = 0;
    fields >> std::hex >> first >> last;
    std::vector<std::string> columns;
    for (std::string column; fields >> column;)
      columns.push_back(column);
    for (char32_t c = first; c <= last; ++c)
      classes[c] = columns;
  }
  return classes;
}

class CharacterBehaviour {
 public:
  explicit CharacterBehaviour(Dialect dialect, const TokenizerConfig& config = {})
      : tokenizer_(small_tokenizer({"가", "나", "##나"}, dialect, config)) {}

  std::string of(char32_t c) const {
    std::string text = "가";
    append_utf8(text, c);
    text += "나";
    const auto pieces = pieces_of(tokenizer_, text);
    using Pieces = std::vector<std::string>;
    if (pieces == Pieces{"가", "##나"}) return "remove";
    if (pieces == Pieces{"가", "나"}) return "space";
    if (pieces == Pieces{"가", "[UNK]", "나"}) return "isolate";
    if (pieces == Pieces{"[UNK]"}) return "word";
    // The characters of the vocabulary itself.
    if (c == U'가' || c == U'나') return "word";
    return "something else";
  }

 private:
  Tokenizer tokenizer_;
};

TEST(CharTraitsTest, HuggingFaceClassesOfEveryCodePoint) {
  KLUE_SHARED_DATA_OR_SKIP(table, "goldens/charclass_fast.tsv");
  const auto classes = read_classes(table);
  const CharacterBehaviour normalized(Dialect::huggingface);
  TokenizerConfig as_it_stands;
  as_it_stands.clean_text = as_it_stands.handle_chinese_chars = false;
  const CharacterBehaviour pre_tokenized(Dialect::huggingface, as_it_stands);

  for (char32_t c = 0; c <= last_code_point; ++c) {
    if (!is_scalar_value(c)) continue;
    const auto found = classes.find(c);
    const std::string normalizer = found == classes.end() ? "keep" : found->second[0];
    std::string pre_tokenizer = found == classes.end() ? "word" : found->second[1];
    if (pre_tokenizer == "split") pre_tokenizer = "space";
    if (pre_tokenizer == "punct") pre_tokenizer = "isolate";
    const std::string both = normalizer == "keep"  ? pre_tokenizer
                             : normalizer == "cjk" ? "isolate"
                                                   : normalizer;
    ASSERT_EQ(normalized.of(c), both) << "U+" << std::hex << std::uint32_t{c};
    ASSERT_EQ(pre_tokenized.of(c), pre_tokenizer) << "U+" << std::hex << std::uint32_t{c};
  }
}

TEST(CharTraitsTest, TensorflowClassesOfEveryCodePoint) {
  KLUE_SHARED_DATA_OR_SKIP(table, "goldens/charclass_tensorflow.tsv");
  const auto classes = read_classes(table);
  const CharacterBehaviour behaviour(Dialect::tensorflow);
  for (char32_t c = 0; c <= last_code_point; ++c) {
    if (!is_scalar_value(c)) continue;
    const auto found = classes.find(c);
    std::string expected = found == classes.end() ? "word" : found->second[0];
    if (expected == "split") expected = "space";
    ASSERT_EQ(behaviour.of(c), expected) << "U+" << std::hex << std::uint32_t{c};
  }
}

TEST(CharTraitsTest, RangesAreOrderedAndAgreeWithTheLookup) {
  char32_t next = 0;
  for (const CharTraitsRange& range : char_traits_table()) {
    ASSERT_LE(next, range.first);
    ASSERT_LE(range.first, range.last);
    ASSERT_LE(range.last, last_code_point);
    if (next < range.first) {
      EXPECT_EQ(char_traits(range.first - 1), 0);
    }
    EXPECT_EQ(char_traits(range.first), range.traits);
    EXPECT_EQ(char_traits(range.last), range.traits);
    next = range.last + 1;
  }
}

TEST(CharTraitsTest, WordAndSpaceOfRegularExpressions) {
  for (const char32_t c : U"aZ_0é가ㅋ大\u0301\u200d") {
    if (c == 0) continue;
    EXPECT_TRUE(char_traits(c) & regex_word) << std::hex << std::uint32_t{c};
  }
  for (const char32_t c : {U'-', U'[', U' ', U'😀', U'·'})
    EXPECT_FALSE(char_traits(c) & regex_word);
  for (const char32_t c : {U' ', U'\t', U'\u0085', U'\u00a0', U'\u3000'})
    EXPECT_TRUE(char_traits(c) & regex_space);
  for (const char32_t c : {U'\u200b', U'a', U'\u180e'})
    EXPECT_FALSE(char_traits(c) & regex_space);
}

}  // namespace
}  // namespace klue::test
