#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>

#include <klue/core/error.hpp>
#include <klue/text/detail/wordpiece.hpp>
#include <klue/text/utf8.hpp>

namespace klue::detail {
namespace {

using Symbol = WordPiece::Symbol;

/// Memory for popped pieces, 12 bytes each. A real vocabulary has fewer than 100,000.
constexpr std::size_t max_pops = std::size_t{1} << 23;

}  // namespace

/// A node of the trie while it is being built.
struct WordPiece::TrieNode {
  std::uint32_t parent = 0;
  Symbol symbol = 0;
  std::int32_t piece = -1;  // the id of the piece that ends here
  std::uint32_t bytes = 0, characters = 0;
};

/// The trie while it is being built, nodes in the order in which they are made: parents before
/// their children.
struct WordPiece::Trie {
  static constexpr std::uint32_t word_start = 0, word_rest = 1;

  std::vector<TrieNode> nodes{2};
  std::unordered_map<std::uint64_t, std::uint32_t> edges;

  static std::uint64_t key(std::uint32_t node, Symbol symbol) {
    return (std::uint64_t{node} << 32) | symbol;
  }

  void insert(std::uint32_t root, std::span<const Symbol> word, std::int32_t id,
              std::size_t bytes) {
    std::uint32_t node = root;
    for (const Symbol symbol : word) {
      const auto next = static_cast<std::uint32_t>(nodes.size());
      const auto [edge, added] = edges.emplace(key(node, symbol), next);
      if (added) nodes.push_back({.parent = node, .symbol = symbol});
      node = edge->second;
    }
    nodes[node].piece = id;
    nodes[node].bytes = static_cast<std::uint32_t>(bytes);
    nodes[node].characters = static_cast<std::uint32_t>(word.size());
  }

  /// All nodes but the roots, shallow ones first, and the children of one node together.
  std::vector<std::uint32_t> by_depth() const {
    std::vector<std::uint32_t> depth(nodes.size(), 0), order;
    for (std::uint32_t n = 2; n < nodes.size(); ++n) {
      depth[n] = depth[nodes[n].parent] + 1;
      order.push_back(n);
    }
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      if (depth[a] != depth[b]) return depth[a] < depth[b];
      if (nodes[a].parent != nodes[b].parent) return nodes[a].parent < nodes[b].parent;
      return nodes[a].symbol < nodes[b].symbol;
    });
    return order;
  }
};

namespace {

/// Where each trie node goes in the double array.
class Layout {
 public:
  explicit Layout(Symbol symbols) : symbols_(symbols) { grow(3); }

  /// Finds a base at which all these symbols have free slots, and takes them.
  std::uint32_t place(std::span<const Symbol> symbols) {
    const Symbol low = symbols.front(), high = symbols.back();
    // Slots before first_free_ are nearly all taken; trying them again and again would make
    // building quadratic.
    std::uint32_t slot = std::max(first_free_, low + 3);
    std::size_t tried = 0;
    for (;; ++slot) {
      grow(std::size_t{slot} + high - low + 1);
      if (taken_[slot]) continue;
      const std::uint32_t base = slot - low;
      if (std::none_of(symbols.begin(), symbols.end(),
                       [&](Symbol s) { return taken_[base + s]; })) {
        for (const Symbol s : symbols)
          taken_[base + s] = true;
        if (tried > 64) first_free_ = slot;
        while (taken_[first_free_])
          grow(++first_free_ + std::size_t{1});
        return base;
      }
      ++tried;
    }
  }

  /// Slots in use, with room behind for a step from any base with any symbol.
  std::size_t size() const { return taken_.size() + symbols_; }

 private:
  void grow(std::size_t size) {
    if (size >= std::numeric_limits<std::uint32_t>::max() / 2)
      throw UnsupportedError("the vocabulary is too large for its automaton");
    if (taken_.size() < size) taken_.resize(std::max(size, taken_.size() * 2));
  }

  Symbol symbols_;
  std::uint32_t first_free_ = 3;
  std::vector<bool> taken_;
};

}  // namespace

WordPiece::WordPiece(const Vocabulary& vocabulary, std::string_view prefix,
                     std::size_t max_characters,
                     const std::function<bool(std::string_view text)>& usable) {
  Trie trie;
  std::vector<Symbol> word;
  const auto insert = [&](std::uint32_t root, std::string_view text, std::int32_t id) {
    // At most four bytes a character: no need to count those of a piece of a megabyte.
    if (text.empty() || text.size() / 4 > max_characters || !usable(text)) return;
    word.clear();
    for (std::string_view rest = text; !rest.empty();) {
      const auto c = decode_utf8(rest);
      word.push_back(number(c.value));
      rest.remove_prefix(c.length);
    }
    if (word.size() <= max_characters) trie.insert(root, word, id, text.size());
  };
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string_view piece = vocabulary.pieces()[i];
    const auto id = static_cast<std::int32_t>(i);
    insert(Trie::word_start, piece, id);
    if (piece.starts_with(prefix)) insert(Trie::word_rest, piece.substr(prefix.size()), id);
  }

  const std::vector<std::uint32_t> order = trie.by_depth();
  const std::vector<State> states = lay_out(trie, order);
  link_failures(trie, order, states);
}

WordPiece::Symbol WordPiece::number(char32_t code_point) {
  const auto next = static_cast<Symbol>(symbols_.size() + 1);
  return symbols_.emplace(code_point, next).first->second;
}

/// Gives every node its state, the index of its slot. Slots of the double array hold their parent,
/// so that a step is one addition and one comparison.
std::vector<WordPiece::State> WordPiece::lay_out(const Trie& trie,
                                                 const std::vector<std::uint32_t>& order) {
  Layout layout(static_cast<Symbol>(symbols_.size() + 1));
  std::vector<State> states(trie.nodes.size()), bases(trie.nodes.size(), 0);
  states[Trie::word_start] = word_start;
  states[Trie::word_rest] = word_rest;

  std::vector<Symbol> siblings;
  for (std::size_t begin = 0, end; begin < order.size(); begin = end) {
    const std::uint32_t parent = trie.nodes[order[begin]].parent;
    siblings.clear();
    for (end = begin; end < order.size() && trie.nodes[order[end]].parent == parent; ++end)
      siblings.push_back(trie.nodes[order[end]].symbol);
    bases[parent] = layout.place(siblings);
    for (std::size_t i = begin; i < end; ++i)
      states[order[i]] = bases[parent] + trie.nodes[order[i]].symbol;
  }

  slots_.assign(layout.size(), {});
  for (std::size_t node = 0; node < states.size(); ++node)
    slots_[states[node]].base = bases[node];
  for (const std::uint32_t node : order)
    slots_[states[node]].parent = states[trie.nodes[node].parent];
  return states;
}

/// Algorithm 1 of the paper: shallow states first, since a link leads to a shallower one.
void WordPiece::link_failures(const Trie& trie, const std::vector<std::uint32_t>& order,
                              const std::vector<State>& states) {
  failures_.assign(slots_.size(), {});
  const auto append_pops = [this](const Failure& of) {
    if (pops_.size() + (of.pops_end - of.pops_begin) > max_pops)
      throw UnsupportedError("the vocabulary's pieces are too long for its automaton");
    for (std::uint32_t i = of.pops_begin; i != of.pops_end; ++i)
      pops_.push_back(Piece(pops_[i]));
  };
  for (const std::uint32_t n : order) {
    const TrieNode& node = trie.nodes[n];
    Failure& failure = failures_[states[n]];
    failure.pops_begin = static_cast<std::uint32_t>(pops_.size());
    if (node.piece >= 0) {
      failure.state = word_rest;
      pops_.push_back({node.piece, node.bytes, node.characters});
    } else {
      const Failure of_parent = failures_[states[node.parent]];
      State rest = of_parent.state;
      if (rest != none) append_pops(of_parent);
      while (rest != none && !has_child(rest, node.symbol)) {
        const Failure of_rest = failures_[rest];
        rest = of_rest.state;
        if (rest != none) append_pops(of_rest);
      }
      if (rest == none)
        pops_.resize(failure.pops_begin);
      else
        failure.state = slots_[rest].base + node.symbol;
    }
    failure.pops_end = static_cast<std::uint32_t>(pops_.size());
  }
}

}  // namespace klue::detail
