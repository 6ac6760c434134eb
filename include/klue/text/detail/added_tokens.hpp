#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <klue/text/tokenizer_config.hpp>

namespace klue::detail {

/// Finds added tokens in a text: leftmost first, the longest of those that begin together, with
/// their single_word, lstrip and rstrip flags as Hugging Face's AddedVocabulary honours them.
class AddedTokenMatcher {
 public:
  /// A part of the text: an added token, or what lies between two.
  struct Part {
    std::size_t begin, end;          ///< bytes
    std::optional<std::int32_t> id;  ///< none: ordinary text
  };

  AddedTokenMatcher() = default;

  /// `spellings[i]` is the form in which `tokens[i]` is looked for.
  AddedTokenMatcher(std::span<const AddedToken> tokens, std::span<const std::string> spellings);

  bool empty() const noexcept { return tokens_.empty(); }

  /// Where the first byte of some added token stands at or behind `from`; text.size() if nowhere.
  std::size_t candidate(std::string_view text, std::size_t from) const noexcept;

  /// Cuts the text into parts, none of them empty. A discarded match (single_word) is passed over
  /// as a whole, and so is the whitespace that lstrip and rstrip take. O(text × longest token).
  std::vector<Part> split(std::string_view text) const;

 private:
  struct Match {
    std::size_t end;
    const AddedToken* token;
  };
  std::optional<Match> longest_at(std::string_view text, std::size_t begin) const;

  std::vector<AddedToken> tokens_;
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // (trie node, byte) → node
  std::vector<std::int32_t> token_at_;                      // trie node → index of token, or -1
  std::bitset<256> first_bytes_;
  std::optional<char> only_first_byte_;  // the common case, "[", which memchr can look for
};

}  // namespace klue::detail
