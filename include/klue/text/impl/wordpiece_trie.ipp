#include <algorithm>
#include <compare>
#include <limits>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/text/detail/wordpiece_trie.hpp>

namespace klue::detail {
namespace {

/// The slots that any vocabulary may have beside three for each node: the demands of small ones
/// are chance.
constexpr std::size_t kSpareSlots = std::size_t{1} << 16;

/// Slots that are tried for each node, on an average.
constexpr std::size_t kTriesPerNode = 64;

/// After so many vain tries in one search, what was tried is left behind.
constexpr std::size_t kMostVainTries = 64;

}  // namespace

WordPiece::Trie::Trie(Words words) {
  auto& list = words.words;
  std::sort(list.begin(), list.end(), [&words](const Words::Word& a, const Words::Word& b) {
    if (a.root != b.root) return a.root < b.root;
    const auto x = words.symbols_of(a), y = words.symbols_of(b);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  });
  for (const Words::Word& word : list)
    pieces.push_back({word.piece, word.bytes, word.end - word.begin});

  // Every node stands for the run of sorted words that begin as it does.
  struct Run {
    std::uint32_t begin, end;
  };
  const auto of_rest =
      static_cast<std::uint32_t>(std::ranges::count(list, kWordStart, &Words::Word::root));
  std::vector<Run> runs{{0, of_rest}, {of_rest, static_cast<std::uint32_t>(list.size())}}, children;
  nodes.resize(kRoots);
  for (std::uint32_t depth = 0; !runs.empty(); ++depth) {
    children.clear();
    auto node = static_cast<std::uint32_t>(nodes.size() - runs.size());
    for (Run run : runs) {
      // No two words of a root are the same.
      if (run.begin != run.end && list[run.begin].end - list[run.begin].begin == depth)
        nodes[node].word = static_cast<std::int32_t>(run.begin++);
      while (run.begin != run.end) {
        const auto symbol_at = [&](std::uint32_t i) {
          return words.symbols[list[i].begin + depth];
        };
        const Symbol symbol = symbol_at(run.begin);
        Run child{run.begin, run.begin};
        while (child.end != run.end && symbol_at(child.end) == symbol)
          ++child.end;
        nodes.push_back({.parent = node, .symbol = symbol});
        children.push_back(child);
        run.begin = child.end;
      }
      ++node;
    }
    runs.swap(children);
  }
}

DoubleArrayLayout::DoubleArrayLayout(std::size_t nodes, std::size_t symbols)
    : symbols_(symbols),
      most_slots_(3 * nodes + 2 * symbols + kSpareSlots),
      most_tries_(kTriesPerNode * (nodes + kSpareSlots)) {
  next_free_.reserve(nodes + nodes / 4 + symbols);
  grow(first_);
}

std::uint32_t DoubleArrayLayout::place(std::span<const Symbol> symbols) {
  const Symbol low = symbols.front();
  std::uint32_t slot = free_from(std::max(first_, low + 3));
  for (std::size_t vain = 0;; slot = free_from(slot + 1), ++vain) {
    const std::uint32_t base = slot - low;
    const auto taken = std::ranges::find_if(symbols, [&](Symbol s) { return !is_free(base + s); });
    tries_ += static_cast<std::size_t>(taken - symbols.begin()) + 1;
    if (taken == symbols.end()) {
      grow(base + std::size_t{symbols.back()} + 1);
      for (const Symbol s : symbols)
        take(base + s);
      // What fits nowhere there would be tried again and again.
      if (vain > kMostVainTries) first_ = slot;
      first_ = free_from(first_);
      return base;
    }
    if (tries_ > most_tries_)
      throw UnsupportedError("the vocabulary's characters are too scattered for its automaton");
  }
}

std::uint32_t DoubleArrayLayout::free_from(std::uint32_t slot) {
  std::uint32_t free = slot;
  while (free < next_free_.size() && next_free_[free] != free)
    free = next_free_[free];
  while (slot < next_free_.size() && next_free_[slot] != slot)
    slot = std::exchange(next_free_[slot], free);
  return free;
}

void DoubleArrayLayout::take(std::uint32_t slot) {
  next_free_[slot] = slot + 1;
}

void DoubleArrayLayout::grow(std::size_t size) {
  if (size > most_slots_ || size >= std::numeric_limits<std::uint32_t>::max() / 2)
    throw UnsupportedError("the vocabulary is too large for its automaton");
  while (next_free_.size() < size)
    next_free_.push_back(static_cast<std::uint32_t>(next_free_.size()));
}

}  // namespace klue::detail
