#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <klue/text/detail/normalizer.hpp>

#include "text/random_text.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::test {
namespace {

using detail::NormalizedChar;
using detail::Normalizer;

std::string shown(const std::vector<NormalizedChar>& chars) {
  std::string text;
  for (const NormalizedChar& c : chars) {
    append_utf8(text, c.value);
    text.append("(").append(std::to_string(c.begin)).append(",");
    text.append(std::to_string(c.end)).append(")");
  }
  return text;
}

std::string random_marks(Random& random) {
  static const std::u32string alphabet =
      U"aÉİ가각\u1100\u1161大\u0301\u0323\u0334\u0345\u1df6\u0f71\u0f73\u0f81\u0344 \u200b";
  std::string text;
  for (std::size_t length = random(40); length > 0; --length)
    if (random(20) == 0)
      text += static_cast<char>(0x80 + random(128));
    else
      append_utf8(text, random.pick(alphabet));
  return text;
}

TEST(NormalizerTest, CanBeDoneInPartsAtItsBoundaries) {
  Random random(11);
  for (const bool strips : {true, false}) {
    TokenizerConfig config;
    config.lowercase = true;
    config.strip_accents = strips;
    const Normalizer normalizer(config);
    for (int round = 0; round < 2'000; ++round) {
      const std::string text = random_marks(random);
      std::vector<NormalizedChar> whole, parts;
      normalizer(text, 5, whole);
      const std::size_t cut = normalizer.boundary(text, random(text.size() + 1));
      normalizer(text.substr(0, cut), 5, parts);
      normalizer(text.substr(cut), 5 + cut, parts);
      ASSERT_EQ(shown(parts), shown(whole)) << text << " cut at " << cut;
    }
  }
}

// The reference has the combining classes of Unicode 9: U+1DF6 is of Unicode 10 and changes places
// with nothing, so its offset is its own.
TEST(NormalizerTest, LaterMarksHaveNoCombiningClass) {
  TokenizerConfig config;
  config.strip_accents = true;
  std::vector<NormalizedChar> chars;
  const Normalizer normalizer(config);
  normalizer("a\u1df6\u0334", 0, chars);
  EXPECT_EQ(shown(chars), "a(0,1)\u1df6(1,4)");
}

TEST(NormalizerTest, ManyMarksAreSortedAsFewAre) {
  TokenizerConfig config;
  config.strip_accents = true;
  config.clean_text = false;
  const Normalizer normalizer(config);
  // U+302E and U+1D165 are marks that are not dropped: spacing ones, of the classes 224 and 216.
  std::string text = "a";
  for (int i = 0; i < 100; ++i)
    text += "\u302e\U0001d165";
  const std::string marks = normalizer.normalized(text).substr(1);
  EXPECT_EQ(marks.find("\u302e"), 400u);
  EXPECT_EQ(marks.rfind("\U0001d165"), 396u);
}

// A word without an end is normalized in parts of 64 KiB.
TEST(NormalizerTest, LongWordsAreWhatShortOnesAre) {
  TokenizerConfig config;
  config.lowercase = config.strip_accents = true;
  config.max_input_chars_per_word = 1'000'000;
  const Tokenizer tokenizer = small_tokenizer({"a", "##a", "##b"}, Dialect::huggingface, config);
  std::string text;
  while (text.size() < 200'000)
    text += "aÁ\u0323B";
  const Tokens tokens = tokenizer.tokenize(text);
  ASSERT_EQ(tokens.size(), text.size() / 6 * 3);
  EXPECT_EQ(tokens.word_ids.back(), 0);
  for (std::size_t i = 0; i < tokens.size(); i += 3) {
    ASSERT_EQ(tokens.ids[i], i == 0 ? 5 : 6);
    ASSERT_EQ(tokens.offsets[i + 1], (Offset{i * 2 + 1, i * 2 + 3}));
  }
}

}  // namespace
}  // namespace klue::test
