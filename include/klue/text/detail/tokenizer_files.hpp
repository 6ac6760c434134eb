#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/detail/place.hpp>
#include <klue/text/truncation.hpp>
#include <klue/text/vocabulary.hpp>

namespace klue::detail {

/// A token that is found in the text as it stands, before any word is split.
struct AddedToken {
  std::string content{};
  std::int32_t id = 0;
  bool single_word = false;  ///< only where no word character (\w) touches it
  bool lstrip = false;       ///< takes the whitespace before it along
  bool rstrip = false;       ///< takes the whitespace after it along
  bool normalized = true;    ///< looked for in the normalized text, not in the raw text
  bool special = false;      ///< `decode` can skip it

  bool operator==(const AddedToken&) const = default;
};

/// One place of a post-processor's template: a special token, or a whole text.
struct TemplatePiece {
  enum class Kind { special, first_text, second_text };
  Kind kind = Kind::special;
  std::vector<std::int32_t> ids{};  ///< of a special token; usually one
  std::int32_t type_id = 0;

  bool operator==(const TemplatePiece&) const = default;
};

/// Everything that a model's files say about its tokenizer, apart from the vocabulary itself.
struct TokenizerConfig {
  // BertNormalizer
  bool clean_text = true;            ///< drop control characters, make all whitespace a space
  bool handle_chinese_chars = true;  ///< each CJK ideograph is a word of its own
  bool strip_accents = false;        ///< decompose (NFD) and drop nonspacing marks
  bool lowercase = false;

  // WordPiece
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  std::size_t max_input_chars_per_word = 100;  ///< longer words are unk_token

  // Special tokens by their role
  std::string cls_token = "[CLS]";
  std::string sep_token = "[SEP]";
  std::string pad_token = "[PAD]";
  std::string mask_token = "[MASK]";

  std::vector<AddedToken> added_tokens;

  // Post-processor
  std::vector<TemplatePiece> single;  ///< [CLS] A [SEP]
  std::vector<TemplatePiece> pair;    ///< [CLS] A [SEP] B [SEP]

  // WordPiece decoder
  std::optional<std::string> decoder_prefix = "##";  ///< what joins; none: nothing does
  bool decoder_cleanup = true;

  TruncationSide truncation_side =
      TruncationSide::right;  ///< which end of a text that is too long is cut

  /// `model_max_length` of tokenizer_config.json, where it is a real limit. Nothing is cut unless
  /// the caller asks; the model uses this as its default.
  std::optional<std::size_t> model_max_length;
};

/// A vocabulary with the configuration that goes with it.
struct TokenizerFiles {
  Vocabulary vocabulary;
  TokenizerConfig config;
  std::string source;  ///< the file that the vocabulary came from
};

/// The files of a directory, as Tokenizer::load says.
TokenizerFiles read_tokenizer_files(const Place& directory);

/// The tokenizer of a vocab.txt from memory, with nothing beside it: what read_tokenizer_files
/// makes of a folder that holds only that. `source` is the file name used in errors.
TokenizerFiles parse_vocabulary_file(std::string_view vocab_txt, std::string source = "vocab.txt");

/// A tokenizer.json from memory; `source` is the file name used in errors.
TokenizerFiles parse_tokenizer_json(std::string_view json, std::string source = "tokenizer.json");

}  // namespace klue::detail
