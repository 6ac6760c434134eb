#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/text/detail/byte_trie.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::detail {

/// The added tokens in the order in which Hugging Face's AddedVocabulary looks for them, each
/// content once: special ones first. Where a token is listed more than once, the last listing has
/// the flags, but the first says whether the raw or the normalized text is searched. Empty ones are
/// left out.
std::vector<AddedToken> in_search_order(std::span<const AddedToken> listed);

/// Gives added tokens the ids that Hugging Face's library gives them when it loads a file, which
/// are not always those that the file says: that of the vocabulary's piece, else one more than the
/// largest so far. Where such an id is another piece's, in a vocabulary with holes, the file's is
/// kept. Throws FormatError for a token that the vocabulary has under another id than the file, and
/// for one far outside the vocabulary.
void number_added_tokens(std::vector<AddedToken>& listed, const Vocabulary& vocabulary,
                         const std::string& file);

/// What such a list has allocated.
inline std::size_t added_token_bytes(const std::vector<AddedToken>& tokens) noexcept {
  std::size_t bytes = heap_bytes(tokens);
  for (const AddedToken& token : tokens)
    bytes += heap_bytes(token.content);
  return bytes;
}

/// Finds added tokens in a text: leftmost first, the longest of those that begin together, with
/// their single_word, lstrip and rstrip flags as Hugging Face's AddedVocabulary honours them.
class AddedTokenMatcher {
 public:
  /// A part of the text: an added token, or what lies between two.
  struct Part {
    std::size_t begin, end;             ///< bytes
    const AddedToken* token = nullptr;  ///< none: ordinary text
  };

  AddedTokenMatcher() = default;

  /// `spellings[i]` is the form in which `tokens[i]` is looked for; of equal ones the first counts.
  AddedTokenMatcher(std::vector<AddedToken> tokens, std::span<const std::string> spellings);

  bool empty() const noexcept { return tokens_.empty(); }

  std::size_t memory_bytes() const noexcept {
    return added_token_bytes(tokens_) + heap_bytes(lengths_) + forward_.memory_bytes() +
           (backward_ ? backward_->memory_bytes() : 0);
  }

  /// Where the first byte of some added token stands at or behind `from`; text.size() if nowhere.
  std::size_t candidate(std::string_view text, std::size_t from) const noexcept;

  /// Cuts a text into parts, none of them empty, from the left. Linear in the text, whatever the
  /// tokens. Parts follow each other, except that a token keeps what it matched also where one
  /// before it has taken that along as whitespace.
  class Parts {
   public:
    Parts(const AddedTokenMatcher& matcher, std::string_view text);
    std::optional<Part> next();

   private:
    struct Match {
      std::size_t begin, end;
      const AddedToken* token;
    };
    std::optional<Match> next_match();
    std::size_t end_of_space(std::size_t begin);

    const AddedTokenMatcher& matcher_;
    std::string_view text_;
    std::vector<std::int32_t> longest_at_;  // token by its first byte, where some token is long
    std::size_t from_ = 0;                  // where the search goes on
    std::size_t done_ = 0;                  // everything before it has been given out
    std::optional<Part> pending_;           // the token behind the text just given out
    std::size_t space_begin_ = 0, space_end_ = 0;  // whitespace that has been walked over
  };

 private:
  /// Up to this many bytes a token is looked for at each of its possible beginnings; longer ones
  /// would make that quadratic.
  static constexpr std::size_t kMostBytesTried = 32;

  std::vector<AddedToken> tokens_;
  std::vector<std::size_t> lengths_;  // of their spellings
  ByteTrie forward_;
  std::optional<ByteTrie> backward_;  // of the reversed spellings, where one is long
  std::bitset<256> first_bytes_;
  std::optional<char> only_first_byte_;  // the common case, "[", which memchr can look for
};

}  // namespace klue::detail
