#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <klue/text/detail/added_tokens.hpp>
#include <klue/text/detail/char_table.hpp>
#include <klue/text/detail/normalizer.hpp>
#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/detail/wordpiece.hpp>
#include <klue/text/dialect.hpp>
#include <klue/text/encoding.hpp>

namespace klue::detail {

/// The way from a text to its tokens: added tokens, then words, then pieces.
///
/// One table look-up tells what a character does to a word and which symbol of the automaton it is.
/// Where the configuration leaves characters as they are, which is the case for all KLUE models,
/// the text is read in place and nothing is copied; else it goes through the Normalizer.
class WordSplitter {
 public:
  WordSplitter(const Vocabulary& model, const TokenizerConfig& config, Dialect dialect,
               std::int32_t unk);

  /// Appends the tokens of `text`. Linear in the text.
  void split(std::string_view text, Tokens& tokens) const;

  std::size_t memory_bytes() const noexcept {
    return pieces_.memory_bytes() + table_.memory_bytes() + raw_tokens_.memory_bytes() +
           normalized_tokens_.memory_bytes() + (normalizer_ ? normalizer_->memory_bytes() : 0);
  }

 private:
  /// What a character does to a word: the low bits of its table entry. Above them stands the symbol
  /// of a `word` character, or one more than the piece that an `isolate` character makes by itself.
  enum Class : std::uint32_t { word = 0, space = 1, isolate = 2, drop = 3 };
  static constexpr unsigned kClassBits = 2;
  static Class class_in(std::uint32_t entry) {
    return static_cast<Class>(entry & ((1u << kClassBits) - 1));
  }
  static std::uint32_t value_in(std::uint32_t entry) { return entry >> kClassBits; }

  struct Sink;

  // Building.
  void read_added_tokens(const TokenizerConfig& config);
  void build_table(const TokenizerConfig& config);
  std::uint32_t piece_alone(char32_t code_point) const;

  // The text from `begin` to `end`, without added tokens.
  void split_part(std::string_view text, std::size_t begin, std::size_t end, Sink& sink) const;
  void split_in_place(std::string_view text, std::size_t begin, std::size_t end, Sink& sink) const;
  std::size_t split_word(std::string_view text, std::size_t begin, std::size_t end,
                         Sink& sink) const;
  std::size_t split_word_with_gaps(std::string_view text, std::size_t begin, std::size_t end,
                                   Sink& sink) const;
  void split_normalized(std::string_view text, std::size_t begin, std::size_t end,
                        Sink& sink) const;
  void split_normalized_with_tokens(std::string_view text, std::size_t begin, std::size_t end,
                                    Sink& sink) const;
  void split_normalized_words(std::span<const NormalizedChar> chars, Sink& sink) const;

  void put_isolated(std::uint32_t entry, Offset offset, Sink& sink) const;
  void put_gathered(Sink& sink, bool whole) const;
  void end_gathered(Sink& sink) const;

  Dialect dialect_;
  std::int32_t unk_;
  std::size_t max_length_;  // of a word: characters, or bytes in the tensorflow dialect
  WordPiece pieces_;
  CharTable table_;
  AddedTokenMatcher raw_tokens_, normalized_tokens_;
  std::optional<Normalizer> normalizer_;
};

}  // namespace klue::detail
