#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <klue/core/activation.hpp>
#include <klue/core/language.hpp>

namespace klue {

/// How a token's row of the position table is chosen.
enum class PositionScheme : std::uint8_t {
  /// RoBERTa: pad_token_id + (number of ids ≠ pad_token_id up to and including this one); a pad id
  /// has pad_token_id. The first two rows of klue/roberta-base's table serve no real token.
  after_padding,
  /// BERT and the TF-Hub module: the index in the sequence.
  index
};

/// The shape of an encoder, under the names of Hugging Face's config.json.
struct EncoderConfig {
  std::string model_type = "roberta";  ///< roberta, bert or electra
  std::size_t vocab_size = 32000;      ///< rows of the word embeddings
  std::size_t hidden_size = 768;       ///< width of a token's vector
  /// Width of the embedding tables, where a layer (ELECTRA's `embeddings_project`) makes it
  /// hidden_size; 0: hidden_size.
  std::size_t embedding_size = 0;
  std::size_t num_hidden_layers = 12;         ///< layers of the encoder
  std::size_t num_attention_heads = 12;       ///< which divide hidden_size
  std::size_t intermediate_size = 3072;       ///< width inside the feed-forward part
  std::size_t max_position_embeddings = 514;  ///< rows of the position embeddings
  std::size_t type_vocab_size = 1;            ///< rows of the type embeddings
  std::size_t pad_token_id = 1;               ///< where positions begin behind, in RoBERTa
  float layer_norm_eps = 1e-5f;               ///< added to the variance
  Activation hidden_act = Activation::gelu;   ///< of the feed-forward part
  PositionScheme positions = PositionScheme::after_padding;  ///< how a token gets its position

  /// Whether the embeddings are narrower than the layers, as ELECTRA's may be.
  bool projects_embeddings() const noexcept {
    return embedding_size != 0 && embedding_size != hidden_size;
  }
  /// Width of the embeddings, before any projection.
  std::size_t embedding_width() const noexcept {
    return embedding_size == 0 ? hidden_size : embedding_size;
  }
  /// Width of one attention head.
  std::size_t head_size() const noexcept { return hidden_size / num_attention_heads; }

  /// Tokens of the longest sequence that has positions, special tokens included: 512 for the base
  /// model.
  std::size_t max_sequence_length() const noexcept {
    const std::size_t unused = positions == PositionScheme::after_padding ? pad_token_id + 1 : 0;
    return max_position_embeddings - unused;
  }
};

/// Checks that the numbers can be those of an encoder: all positive and of a sane size, heads that
/// divide hidden_size, pad_token_id in the vocabulary, at least one usable position. Throws
/// FormatError with `file` and the key.
KLUE_EXPORT void validate(const EncoderConfig& config, const std::filesystem::path& file);

/// Reads and validates a config.json of RoBERTa, BERT or ELECTRA. What BERT's and ELECTRA's may
/// leave out has the original's defaults. Throws IoError, FormatError for a key that is missing, of
/// the wrong type or out of range, and UnsupportedError for a model_type, activation or position
/// embedding that this library does not run.
KLUE_EXPORT EncoderConfig read_encoder_config(const std::filesystem::path& file);

/// The same from memory; `file` is only named in errors.
KLUE_EXPORT EncoderConfig parse_encoder_config(std::string_view json,
                                               const std::filesystem::path& file);

}  // namespace klue
