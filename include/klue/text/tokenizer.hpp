#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/text/dialect.hpp>
#include <klue/text/encoding.hpp>
#include <klue/text/truncation.hpp>
#include <klue/text/vocabulary.hpp>

namespace klue {

namespace detail {
struct TokenizerConfig;
struct TokenizerFiles;
}  // namespace detail

/// How a text or pair becomes one sequence.
struct EncodeOptions {
  std::optional<std::size_t> max_length{};  ///< tokens, special ones included; none: nothing is cut
  Truncation truncation = Truncation::longest_first;  ///< which of a pair is cut
  std::size_t stride = 0;           ///< tokens that a window shares with the one before
  bool return_overflowing = false;  ///< keep what was cut off as further windows
  std::optional<TruncationSide> truncation_side{};  ///< which end is cut; none: as the files say
  bool add_special_tokens = true;  ///< [CLS] and [SEP], where the template has them
};

/// How ids become text.
struct DecodeOptions {
  bool skip_special_tokens = true;  ///< leave [CLS], [SEP] and their like out
  std::optional<bool> clean_up{};  ///< no space before ".", "?", "n't", …; none: as the files say
};

/// The ids of the special tokens, by role.
struct SpecialIds {
  std::int32_t unk = 0, cls = 0, sep = 0, pad = 0;  ///< ids
  std::optional<std::int32_t> mask{};               ///< unset: there is none
};

/// The windows of a text or pair that is too long for one, as Tokenizer::encode makes them with
/// return_overflowing, but each only when it is asked for: a long text's windows together are many
/// times as large as its tokens.
class KLUE_EXPORT EncodingWindows {
 public:
  EncodingWindows(EncodingWindows&&) noexcept;
  EncodingWindows& operator=(EncodingWindows&&) noexcept;
  ~EncodingWindows();

  /// At least 1.
  std::size_t size() const noexcept;

  /// `i` must be below size(). O(tokens of the window).
  Encoding operator[](std::size_t i) const;

 private:
  friend class Tokenizer;
  struct Impl;
  explicit EncodingWindows(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

/// Text to token ids and back, exactly as the original of its dialect does it.
///
/// Immutable: any number of threads may use one. Text is UTF-8; where it is not, each maximal
/// invalid subsequence counts as U+FFFD (which the huggingface dialect drops and the tensorflow
/// dialect keeps as part of a word), and offsets still refer to the caller's bytes. No text makes
/// tokenization throw, except one of more than 2^31-1 words (UsageError).
class KLUE_EXPORT Tokenizer {
 public:
  /// Reads the tokenizer of a Hugging Face model directory, or of the `assets` folder of a TF-Hub
  /// preprocess module.
  ///
  /// - `tokenizer.json` decides where it is there. A vocab.txt or tokenizer_config.json beside it
  ///   must not contradict it (FormatError): one of the two is stale, and which one nobody can
  ///   know.
  /// - Else `vocab.txt` with `tokenizer_config.json`, `special_tokens_map.json` and
  ///   `added_tokens.json`, each of which may be absent. Where nothing says `do_lower_case`, text
  ///   is not lower-cased (unlike Hugging Face's class default, which would take Hangul apart).
  ///
  /// Special ids always come from the files. Throws IoError where neither file is there,
  /// FormatError for damage and contradictions, such as a special token that is not in the
  /// vocabulary, and UnsupportedError for a tokenizer that is not BERT WordPiece, naming the part
  /// (`tokenizer.json: model.type: …`), and for lower-casing in the tensorflow dialect.
  ///
  /// Takes time and memory in proportion to the files: docs/tokenization.md has the factors.
  static Tokenizer load(const std::filesystem::path& directory,
                        Dialect dialect = Dialect::huggingface);

  /// The library's own way: of files that have been read. As above.
  explicit Tokenizer(detail::TokenizerFiles files, Dialect dialect = Dialect::huggingface);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// The tokens of a text, without special tokens around it and without a limit. Linear in the
  /// text, whatever the text.
  Tokens tokenize(std::string_view text) const;

  /// The same into `tokens`, whose memory is used again.
  void tokenize(std::string_view text, Tokens& tokens) const;

  /// One text, or two, with the special tokens of the model's template, cut to
  /// `options.max_length`. Throws UsageError where the texts cannot be cut as asked.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair = std::nullopt,
                  const EncodeOptions& options = {}) const;

  /// The same, one window at a time; without `options.return_overflowing` there is one. The
  /// tokenizer must outlive it, the texts need not.
  EncodingWindows windows(std::string_view text,
                          std::optional<std::string_view> pair = std::nullopt,
                          const EncodeOptions& options = {}) const;

  /// Ids back to text, as Hugging Face's WordPiece decoder does it: "##" joins, everything else is
  /// set apart by a space. Throws UsageError for an id outside the vocabulary.
  std::string decode(std::span<const std::int32_t> ids, const DecodeOptions& options = {}) const;

  /// The same of the tokens' texts (Hugging Face's convert_tokens_to_string): "##" joins, but not
  /// at the beginning.
  std::string join(std::span<const std::string> tokens,
                   std::optional<bool> clean_up = std::nullopt) const;

  /// What each token stands for: its piece ("##다"), or what an added token has matched ("
  /// [MASK]").
  std::vector<std::string> texts(const Tokens& tokens) const {
    return texts(tokens.ids, tokens.matched_texts);
  }
  /// The same for the tokens of an encoding.
  std::vector<std::string> texts(const Encoding& encoding) const {
    return texts(encoding.ids, encoding.matched_texts);
  }

  /// The piece of one token ("##다"). Throws UsageError for an id outside the vocabulary.
  const std::string& token(std::int32_t id) const { return vocabulary().piece(id); }

  /// All ids with their pieces, added tokens included.
  const Vocabulary& vocabulary() const noexcept;
  /// What the tokenizer's files say, as the library's own rooms use it.
  const detail::TokenizerConfig& config() const noexcept;
  /// The ids of [CLS], [SEP], [PAD], [UNK] and [MASK].
  const SpecialIds& special_ids() const noexcept;
  /// The one that it was made for.
  Dialect dialect() const noexcept;

  /// What it holds.
  std::size_t memory_bytes() const noexcept;

 private:
  Encoding encode_one(std::string_view text, std::optional<std::string_view> pair,
                      const EncodeOptions& options) const;
  std::vector<std::string> texts(const std::vector<std::int32_t>& ids,
                                 const std::vector<MatchedText>& matched) const;

  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace klue
