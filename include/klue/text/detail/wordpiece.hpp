#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <klue/core/detail/heap_bytes.hpp>
#include <klue/text/vocabulary.hpp>

namespace klue::detail {

/// Splits words into the longest pieces from the left, in time linear in the word.
///
/// An automaton over the vocabulary's trie with failure links, after "Fast WordPiece Tokenization"
/// (Song et al., 2021): where the trie has no way on, the pieces that are settled by then are
/// popped and matching goes on in the state that the rest of the word stands for, so no character
/// is read twice. The trie is over symbols (the characters that pieces are made of, numbered), one
/// step a character, in a double array.
///
/// A caller feeds one symbol at a time:
///
///     State state = matcher.start();
///     for (symbol : word) if (!matcher.step(state, symbol, emit)) → the word is unknown
///     if (!matcher.finish(state, emit)) → the word is unknown
class WordPiece {
 public:
  using State = std::uint32_t;
  using Symbol = std::uint32_t;

  /// Characters that no piece contains.
  static constexpr Symbol kUnknownSymbol = 0;

  /// A piece that has been settled, with its length without the continuation prefix.
  struct Piece {
    std::int32_t id;
    std::uint32_t bytes;
    std::uint32_t characters;
  };

  WordPiece() = default;

  /// Every piece can begin a word, and one that begins with `prefix` can continue it. Left out are
  /// texts (the piece, or what follows its prefix) of more than `max_characters` and those for
  /// which `usable` is false, because no word can contain them.
  ///
  /// Time and memory are in proportion to the characters of the pieces (about 45 bytes each while
  /// the automaton is built, 25 after). Throws UnsupportedError for vocabularies of which the
  /// automaton would be larger: pieces of long chains of other pieces.
  WordPiece(const Vocabulary& vocabulary, std::string_view prefix, std::size_t max_characters,
            const std::function<bool(std::string_view text)>& usable);

  /// The symbol of a code point, `unknown_symbol` if no piece contains it. Average O(1).
  Symbol symbol(char32_t code_point) const {
    const auto found = symbols_.find(code_point);
    return found == symbols_.end() ? kUnknownSymbol : found->second;
  }
  const std::unordered_map<char32_t, Symbol>& symbols() const noexcept { return symbols_; }

  std::size_t memory_bytes() const noexcept {
    return heap_bytes(symbols_) + heap_bytes(slots_) + heap_bytes(failures_) + heap_bytes(pops_);
  }

  State start() const noexcept { return kWordStart; }

  /// Reads one character; `emit(Piece)` gets the pieces that are settled by it. False where the
  /// word has no pieces: whatever was emitted for it is void. Amortised O(1).
  template <class Emit>
  bool step(State& state, Symbol symbol, Emit&& emit) const {
    for (;;) {
      const State next = slots_[state].base + symbol;
      if (slots_[next].parent == state) {
        state = next;
        return true;
      }
      if (!pop(state, emit)) return false;
    }
  }

  /// Settles what is left at the end of the word.
  template <class Emit>
  bool finish(State state, Emit&& emit) const {
    while (state != kWordRest)
      if (!pop(state, emit)) return false;
    return true;
  }

 private:
  static constexpr State kNone = 0, kWordStart = 1, kWordRest = 2;

  struct Slot {
    State base = 0;    // children are at base + symbol
    State parent = 0;  // which state this slot is a child of; none: free, or a root
  };
  struct Failure {
    State state = kNone;  // what the rest of the word stands for after the pops
    std::uint32_t pops_begin = 0, pops_end = 0;
  };

  // Building, in the order of use.
  struct Words;
  struct Trie;
  Words read_words(const Vocabulary& vocabulary, std::string_view prefix,
                   std::size_t max_characters,
                   const std::function<bool(std::string_view text)>& usable);
  std::vector<State> lay_out(const Trie& trie);
  void link_failures(const Trie& trie, const std::vector<State>& states);

  bool has_child(State state, Symbol symbol) const {
    return slots_[slots_[state].base + symbol].parent == state;
  }

  template <class Emit>
  bool pop(State& state, Emit& emit) const {
    const Failure& failure = failures_[state];
    if (failure.state == kNone) return false;
    for (std::uint32_t i = failure.pops_begin; i != failure.pops_end; ++i)
      emit(pops_[i]);
    state = failure.state;
    return true;
  }

  std::unordered_map<char32_t, Symbol> symbols_;
  std::vector<Slot> slots_;
  std::vector<Failure> failures_;
  std::vector<Piece> pops_;
};

}  // namespace klue::detail
