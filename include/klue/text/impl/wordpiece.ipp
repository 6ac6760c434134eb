#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/detail/wordpiece.hpp>
#include <klue/text/detail/wordpiece_trie.hpp>

namespace klue::detail {
namespace {

/// Popped pieces of small vocabularies. Larger ones may have two for each node: a real vocabulary
/// of 40,000 nodes has fewer than 40,000.
constexpr std::size_t kSparePops = std::size_t{1} << 18;

}  // namespace

WordPiece::WordPiece(const Vocabulary& vocabulary, std::string_view prefix,
                     std::size_t max_characters,
                     const std::function<bool(std::string_view text)>& usable) {
  const Trie trie(read_words(vocabulary, prefix, max_characters, usable));
  const std::vector<State> states = lay_out(trie);
  link_failures(trie, states);
}

WordPiece::Words WordPiece::read_words(const Vocabulary& vocabulary, std::string_view prefix,
                                       std::size_t max_characters,
                                       const std::function<bool(std::string_view text)>& usable) {
  Words words;
  const auto insert = [&](std::uint32_t root, std::string_view text, std::int32_t id) {
    // At most four bytes a character: no need to count those of a piece of a megabyte.
    if (text.empty() || text.size() / 4 > max_characters || !usable(text)) return;
    const std::size_t begin = words.symbols.size();
    for (std::string_view rest = text; !rest.empty();) {
      const auto c = decode_utf8(rest);
      const auto next = static_cast<Symbol>(symbols_.size() + 1);
      words.symbols.push_back(symbols_.emplace(c.value, next).first->second);
      rest.remove_prefix(c.length);
    }
    const std::size_t end = words.symbols.size();
    if (end > std::numeric_limits<State>::max() / 2)
      throw UnsupportedError("the vocabulary is too large for its automaton");
    if (end - begin <= max_characters)
      words.words.push_back({root, static_cast<std::uint32_t>(begin),
                             static_cast<std::uint32_t>(end), id,
                             static_cast<std::uint32_t>(text.size())});
    else
      words.symbols.resize(begin);
  };
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string_view piece = vocabulary.pieces()[i];
    const auto id = static_cast<std::int32_t>(i);
    insert(Trie::kWordStart, piece, id);
    if (piece.starts_with(prefix)) insert(Trie::kWordRest, piece.substr(prefix.size()), id);
  }
  return words;
}

/// Gives every node its state, the index of its slot. Slots of the double array hold their parent,
/// so that a step is one addition and one comparison.
std::vector<WordPiece::State> WordPiece::lay_out(const Trie& trie) {
  const auto& nodes = trie.nodes;
  std::vector<State> states(nodes.size()), bases(nodes.size(), 0);
  states[Trie::kWordStart] = kWordStart;
  states[Trie::kWordRest] = kWordRest;
  std::size_t size = 0;
  {
    DoubleArrayLayout layout(nodes.size(), symbols_.size() + 1);
    std::vector<Symbol> siblings;
    for (std::size_t begin = Trie::kRoots, end; begin < nodes.size(); begin = end) {
      const std::uint32_t parent = nodes[begin].parent;
      siblings.clear();
      for (end = begin; end < nodes.size() && nodes[end].parent == parent; ++end)
        siblings.push_back(nodes[end].symbol);
      bases[parent] = layout.place(siblings);
      for (std::size_t i = begin; i < end; ++i)
        states[i] = bases[parent] + nodes[i].symbol;
    }
    size = layout.size();
  }
  slots_.assign(size, {});
  for (std::size_t node = 0; node < nodes.size(); ++node)
    slots_[states[node]].base = bases[node];
  for (std::size_t node = Trie::kRoots; node < nodes.size(); ++node)
    slots_[states[node]].parent = states[nodes[node].parent];
  return states;
}

/// Algorithm 1 of the paper: shallow states first, since a link leads to a shallower one.
void WordPiece::link_failures(const Trie& trie, const std::vector<State>& states) {
  failures_.assign(slots_.size(), {});
  const std::size_t most_pops = kSparePops + 2 * trie.nodes.size();
  const auto append_pops = [this, most_pops](const Failure& of) {
    if (pops_.size() + (of.pops_end - of.pops_begin) > most_pops)
      throw UnsupportedError("the vocabulary's pieces are too long for its automaton");
    for (std::uint32_t i = of.pops_begin; i != of.pops_end; ++i)
      pops_.push_back(Piece(pops_[i]));
  };
  for (std::size_t n = Trie::kRoots; n < trie.nodes.size(); ++n) {
    const Trie::Node& node = trie.nodes[n];
    Failure& failure = failures_[states[n]];
    failure.pops_begin = static_cast<std::uint32_t>(pops_.size());
    if (node.word >= 0) {
      failure.state = kWordRest;
      pops_.push_back(trie.pieces[static_cast<std::size_t>(node.word)]);
    } else {
      const Failure of_parent = failures_[states[node.parent]];
      State rest = of_parent.state;
      // As long as the rest goes on, what is popped is the parent's.
      if (rest != kNone && has_child(rest, node.symbol)) {
        failure = {slots_[rest].base + node.symbol, of_parent.pops_begin, of_parent.pops_end};
        continue;
      }
      if (rest != kNone) append_pops(of_parent);
      while (rest != kNone && !has_child(rest, node.symbol)) {
        const Failure of_rest = failures_[rest];
        rest = of_rest.state;
        if (rest != kNone) append_pops(of_rest);
      }
      if (rest == kNone)
        pops_.resize(failure.pops_begin);
      else
        failure.state = slots_[rest].base + node.symbol;
    }
    failure.pops_end = static_cast<std::uint32_t>(pops_.size());
  }
}

}  // namespace klue::detail
