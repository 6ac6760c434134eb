#include <algorithm>
#include <compare>
#include <numeric>

#include <klue/text/detail/byte_trie.hpp>

namespace klue::detail {
namespace {

/// A word as the trie reads it.
class TrieWord {
 public:
  TrieWord(std::string_view text, bool reversed) : text_(text), reversed_(reversed) {}
  std::size_t size() const { return text_.size(); }
  char operator[](std::size_t i) const { return text_[reversed_ ? text_.size() - 1 - i : i]; }

  std::strong_ordering operator<=>(const TrieWord& other) const {
    const std::size_t common = std::min(size(), other.size());
    for (std::size_t i = 0; i < common; ++i)
      if ((*this)[i] != other[i]) return (*this)[i] <=> other[i];
    return size() <=> other.size();
  }

 private:
  std::string_view text_;
  bool reversed_;
};

}  // namespace

ByteTrie::ByteTrie(std::span<const std::string_view> words, bool reversed) {
  const auto word_at = [&](std::uint32_t i) { return TrieWord(words[i], reversed); };
  std::vector<std::uint32_t> order(words.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto difference = word_at(a) <=> word_at(b);
    return difference != 0 ? difference < 0 : a < b;
  });

  // Every node stands for the run of sorted words that begin as it does.
  struct Run {
    std::uint32_t begin, end;
  };
  std::vector<Run> runs{{0, static_cast<std::uint32_t>(order.size())}}, next_runs;
  bytes_.push_back('\0');
  words_.push_back(kNothing);
  for (std::size_t depth = 0; !runs.empty(); ++depth) {
    next_runs.clear();
    Node node = static_cast<Node>(bytes_.size() - runs.size());
    for (Run run : runs) {
      first_child_.push_back(static_cast<Node>(bytes_.size()));
      for (; run.begin != run.end && word_at(order[run.begin]).size() == depth; ++run.begin)
        if (depth > 0 && words_[node] == kNothing)
          words_[node] = static_cast<std::int32_t>(order[run.begin]);
      while (run.begin != run.end) {
        const char byte = word_at(order[run.begin])[depth];
        Run child{run.begin, run.begin};
        while (child.end != run.end && word_at(order[child.end])[depth] == byte)
          ++child.end;
        bytes_.push_back(byte);
        words_.push_back(kNothing);
        next_runs.push_back(child);
        run.begin = child.end;
      }
      ++node;
    }
    runs.swap(next_runs);
  }
  first_child_.push_back(static_cast<Node>(bytes_.size()));
  link();
}

ByteTrie::Node ByteTrie::child(Node node, char byte) const noexcept {
  const auto begin = bytes_.begin() + first_child_[node];
  const auto end = bytes_.begin() + first_child_[node + 1];
  const auto found = end - begin > 8
                         ? std::lower_bound(begin, end, byte)
                         : std::find_if(begin, end, [byte](char b) { return b >= byte; });
  return found != end && *found == byte ? static_cast<Node>(found - bytes_.begin()) : kRoot;
}

ByteTrie::Node ByteTrie::step(Node node, char byte) const noexcept {
  for (;; node = failures_[node]) {
    if (const Node next = child(node, byte); next != kRoot) return next;
    if (node == kRoot) return kRoot;
  }
}

void ByteTrie::link() {
  failures_.assign(bytes_.size(), kRoot);
  suffixes_ = words_;
  for (Node parent = kRoot; parent < bytes_.size(); ++parent)
    for (Node node = first_child_[parent]; node < first_child_[parent + 1]; ++node) {
      if (parent != kRoot) failures_[node] = step(failures_[parent], bytes_[node]);
      if (suffixes_[node] == kNothing) suffixes_[node] = suffixes_[failures_[node]];
    }
}

}  // namespace klue::detail
