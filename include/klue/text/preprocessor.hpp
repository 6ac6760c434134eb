#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/encoder_inputs.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/text/dialect.hpp>
#include <klue/text/encoding.hpp>
#include <klue/text/tokenizer.hpp>
#include <klue/text/truncation.hpp>

namespace klue {

/// How a preprocessor is made of files.
struct PreprocessorOptions {
  Dialect dialect = Dialect::huggingface;  ///< whose tokenization it gives
  std::size_t type_vocab_size = 1;  ///< of the encoder: how many values input_type_ids may have
  std::shared_ptr<const ThreadPool> pool{};  ///< shares the texts of a batch out; none: no threads
};

/// From texts to encoder inputs, in the words of the TF-Hub preprocess module: `tokenize`, then
/// `bert_pack_inputs`. Immutable: any number of threads may use one.
class KLUE_EXPORT Preprocessor {
 public:
  /// Reads the tokenizer of a model directory; see Tokenizer::load.
  static Preprocessor load(const std::filesystem::path& directory,
                           const PreprocessorOptions& options = {});

  /// Of a tokenizer; type_vocab_size is the encoder's number of token types.
  explicit Preprocessor(Tokenizer tokenizer, std::size_t type_vocab_size = 1,
                        std::shared_ptr<const ThreadPool> pool = nullptr);

  /// The tokens of each text, without special tokens and uncut.
  std::vector<Tokens> tokenize(std::span<const std::string> texts) const;
  /// The tokens of each text, without special ones, in O(bytes).
  std::vector<Tokens> tokenize(std::span<const std::string_view> texts) const;
  /// The same for a braced list.
  std::vector<Tokens> tokenize(std::initializer_list<std::string_view> texts) const;

  /// [batch, seq_length] rows of `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]`, …: segment k holds the
  /// k-th text of every row. Rows that are too long are cut as `truncation` says, short ones
  /// padded.
  ///
  /// input_type_ids is 0 for the first text and 1 for the second where the encoder has two token
  /// types, and all zero where it has one (as RoBERTa) or in the tensorflow dialect.
  ///
  /// Throws UsageError where segments differ in their number of texts, seq_length has no room for
  /// the special tokens, or the texts cannot be cut as asked.
  EncoderInputs bert_pack_inputs(std::initializer_list<std::span<const Tokens>> segments,
                                 std::size_t seq_length = 128,
                                 Truncation truncation = Truncation::round_robin) const;
  /// The same for any number of segments.
  EncoderInputs bert_pack_inputs(std::span<const std::span<const Tokens>> segments,
                                 std::size_t seq_length = 128,
                                 Truncation truncation = Truncation::round_robin) const;

  /// One text or a pair with special tokens; see Tokenizer::encode.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair = std::nullopt,
                  const EncodeOptions& options = {}) const;

  /// What it tokenizes with.
  const Tokenizer& tokenizer() const noexcept { return tokenizer_; }
  /// The tokenizer's.
  Dialect dialect() const noexcept { return tokenizer_.dialect(); }
  /// Token types that the encoder has.
  std::size_t type_vocab_size() const noexcept { return type_vocab_size_; }

 private:
  Tokenizer tokenizer_;
  std::size_t type_vocab_size_;
  std::shared_ptr<const ThreadPool> pool_;
};

}  // namespace klue
