#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/detail/wordpiece.hpp>

namespace klue {
using namespace detail;
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using Pieces = std::vector<std::string>;

bool anything(std::string_view) {
  return true;
}

/// The pieces of a word; none where it is unknown.
std::optional<Pieces> match(const Vocabulary& vocabulary, std::string_view word,
                            std::size_t max_characters = 100) {
  const WordPiece matcher(vocabulary, "##", max_characters, anything);
  Pieces pieces;
  std::size_t bytes = 0, characters = 0;
  const auto emit = [&](const WordPiece::Piece& piece) {
    pieces.push_back(vocabulary.piece(piece.id));
    bytes += piece.bytes;
    characters += piece.characters;
  };
  WordPiece::State state = matcher.start();
  std::size_t length = 0;
  for (std::string_view rest = word; !rest.empty(); ++length) {
    const auto c = decode_utf8(rest);
    rest.remove_prefix(c.length);
    if (!matcher.step(state, matcher.symbol(c.value), emit)) return std::nullopt;
  }
  if (!matcher.finish(state, emit)) return std::nullopt;
  EXPECT_EQ(bytes, word.size());
  EXPECT_EQ(characters, length);
  return pieces;
}

TEST(WordPieceTest, TheLongestPieceEachTime) {
  // The example of the paper.
  const Vocabulary vocabulary({"a", "abcdx", "##b", "##c", "##cdy", "##dz"});
  EXPECT_THAT(match(vocabulary, "abcdz"), Optional(ElementsAre("a", "##b", "##c", "##dz")));
  EXPECT_THAT(match(vocabulary, "abcdx"), Optional(ElementsAre("abcdx")));
  EXPECT_THAT(match(vocabulary, "abcdy"), Optional(ElementsAre("a", "##b", "##cdy")));
  EXPECT_EQ(match(vocabulary, "abcd"), std::nullopt);  // no way to end
  EXPECT_EQ(match(vocabulary, "abcz"), std::nullopt);  // a character that leads nowhere
  EXPECT_EQ(match(vocabulary, "abc?"), std::nullopt);  // one that no piece has
  EXPECT_EQ(match(vocabulary, "b"), std::nullopt);     // only a continuation
  EXPECT_EQ(match(vocabulary, ""), std::nullopt);      // no word at all
}

TEST(WordPieceTest, PrefixedPiecesCanBeginAWordAsTheyStand) {
  const Vocabulary vocabulary({"##a", "b"});
  EXPECT_THAT(match(vocabulary, "##aa"), Optional(ElementsAre("##a", "##a")));
  EXPECT_EQ(match(Vocabulary({"##", "b"}), "b#"), std::nullopt);
}

TEST(WordPieceTest, PiecesThatNoWordCanContainAreLeftOut) {
  const Vocabulary vocabulary({"a", "aaaa", "##a", "한국", "##국"});
  EXPECT_THAT(match(vocabulary, "aaaa", 3), Optional(ElementsAre("a", "##a", "##a", "##a")));
  const WordPiece without(vocabulary, "##", 100,
                          [](std::string_view text) { return text != "한국"; });
  EXPECT_EQ(without.symbol(U'한'), WordPiece::kUnknownSymbol);
  EXPECT_NE(without.symbol(U'국'), WordPiece::kUnknownSymbol);
}

TEST(WordPieceTest, AVocabularyWhoseAutomatonWouldFillTheMemoryIsRefused) {
  const Vocabulary vocabulary({"a", "##a", std::string(4'200, 'a') + "b"});
  EXPECT_THROW(WordPiece(vocabulary, "##", 10'000, anything), UnsupportedError);
  EXPECT_NO_THROW(WordPiece(vocabulary, "##", 100, anything));
}

}  // namespace
}  // namespace klue
