#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <klue/core/detail/heap_bytes.hpp>

namespace klue::detail {

/// Strings by their bytes, with failure links (Aho and Corasick, 1975). At most 17 bytes of memory
/// for every byte of them.
class ByteTrie {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr std::int32_t kNothing = -1;

  /// What `words[i]` leads to is i; of equal words the first counts. Empty ones are not found.
  /// Where `reversed`, words are read from their ends.
  ByteTrie(std::span<const std::string_view> words, bool reversed);
  ByteTrie() : ByteTrie({}, false) {}

  /// The node behind one more byte; root where there is none. O(log children).
  Node child(Node node, char byte) const noexcept;

  /// The word that ends here, or `nothing`.
  std::int32_t word(Node node) const noexcept { return words_[node]; }

  /// The node of the longest word's beginning that the bytes read so far end with. Amortised O(log
  /// children).
  Node step(Node node, char byte) const noexcept;

  /// The longest word that the bytes read so far end with, or `nothing`.
  std::int32_t longest_suffix(Node node) const noexcept { return suffixes_[node]; }

  std::size_t memory_bytes() const noexcept {
    return heap_bytes(first_child_) + heap_bytes(bytes_) + heap_bytes(words_) +
           heap_bytes(suffixes_) + heap_bytes(failures_);
  }

 private:
  void link();

  // By node; nodes are numbered by depth, children of one node side by side.
  std::vector<Node> first_child_;  // one more than nodes: node n has first_child_[n]…[n + 1]
  std::vector<char> bytes_;        // the last one on the way here
  std::vector<std::int32_t> words_, suffixes_;
  std::vector<Node> failures_;
};

}  // namespace klue::detail
