#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <klue/text/detail/wordpiece.hpp>

namespace klue::detail {

/// The words of a vocabulary as the automaton reads them, while it is built.
struct WordPiece::Words {
  struct Word {
    std::uint32_t root;        // Trie::word_start or Trie::word_rest
    std::uint32_t begin, end;  // in symbols
    std::int32_t piece;        // its id
    std::uint32_t bytes;
  };
  std::vector<Symbol> symbols;
  std::vector<Word> words;

  std::span<const Symbol> symbols_of(const Word& word) const {
    return std::span(symbols).subspan(word.begin, word.end - word.begin);
  }
};

/// Their trie. Nodes are numbered by depth, the children of one node side by side and by symbol.
struct WordPiece::Trie {
  static constexpr std::uint32_t kWordStart = 0, kWordRest = 1, kRoots = 2;

  struct Node {
    std::uint32_t parent = 0;
    Symbol symbol = 0;
    std::int32_t word = -1;  // which of `words` ends here
  };

  /// Takes the words' memory down with it, but for what nodes refer to.
  explicit Trie(Words words);

  std::vector<Node> nodes;
  std::vector<Piece> pieces;  // by Node::word
};

/// Where each node goes in the double array.
class DoubleArrayLayout {
 public:
  using Symbol = WordPiece::Symbol;

  /// For about `nodes` nodes of `symbols` different ones.
  DoubleArrayLayout(std::size_t nodes, std::size_t symbols);

  /// Finds a base at which all these ascending symbols have free slots, and takes them. Throws
  /// UnsupportedError where that would take more memory or time than the vocabulary's size
  /// warrants.
  std::uint32_t place(std::span<const Symbol> symbols);

  /// Slots in use, with room behind for a step from any base with any symbol.
  std::size_t size() const noexcept { return next_free_.size() + symbols_; }

 private:
  std::uint32_t free_from(std::uint32_t slot);
  bool is_free(std::size_t slot) const {
    return slot >= next_free_.size() || next_free_[slot] == slot;
  }
  void take(std::uint32_t slot);
  void grow(std::size_t size);

  std::size_t symbols_, most_slots_, most_tries_, tries_ = 0;
  // A free slot has its own number, another one a slot at or before the next free one.
  std::vector<std::uint32_t> next_free_;
  std::uint32_t first_ = 3;  // the search begins here: 0 is no state, 1 and 2 are the roots
};

}  // namespace klue::detail
