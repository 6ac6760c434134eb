#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <klue/core/encoder_inputs.hpp>
#include <klue/core/error.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/outputs.hpp>

namespace klue::detail {

/// A batch as the encoder works on it: the tokens of all sentences one after another, so that
/// padding costs nothing. Every token here is a row of every matrix in the encoder.
struct TokenBatch {
  std::vector<std::int32_t> word_ids, position_ids, type_ids;  ///< [tokens]
  std::vector<std::size_t> first_token{0};  ///< [sentences + 1]: where each sentence begins
  /// [keys] Rows that may be attended to, counted from the beginning of their sentence, and
  /// [sentences + 1] where each sentence's begin. Almost always all rows of the sentence.
  std::vector<std::uint32_t> key_rows;
  std::vector<std::size_t> first_key{0};

  std::size_t sentences() const noexcept { return first_token.size() - 1; }
  std::size_t tokens() const noexcept { return first_token.back(); }

  std::span<const std::uint32_t> keys(std::size_t sentence) const {
    return std::span(key_rows).subspan(first_key[sentence],
                                       first_key[sentence + 1] - first_key[sentence]);
  }
};

/// Builds token batches for one encoder configuration, checking every id on the way.
class TokenBatchBuilder {
 public:
  explicit TokenBatchBuilder(const EncoderConfig& config) : config_(&config) {}

  /// Appends one row of a padded batch, the three spans of equal length. Position 0 is always
  /// computed, masked or not: it is what the original pools. Returns through `columns`, when given,
  /// the column of every token appended. Throws UsageError for an id, type or length outside the
  /// model's tables, a mask value other than 0 and 1, or a mask that is all 0.
  void append(std::span<const std::int32_t> word_ids, std::span<const std::int32_t> mask,
              std::span<const std::int32_t> type_ids, PaddedRows padded = PaddedRows::zero,
              std::vector<std::size_t>* columns = nullptr) {
    std::size_t counted = 0, keys = 0;
    for (std::size_t column = 0; column < word_ids.size(); ++column) {
      const std::int32_t id = word_ids[column];
      check(id, mask[column], type_ids[column]);
      const std::size_t position = next_position(id, column, counted);
      if (mask[column] == 0 && padded == PaddedRows::zero && column != 0) continue;
      check_position(position);
      if (mask[column] == 1) {
        batch_.key_rows.push_back(
            static_cast<std::uint32_t>(batch_.word_ids.size() - batch_.tokens()));
        ++keys;
      }
      batch_.word_ids.push_back(id);
      batch_.position_ids.push_back(static_cast<std::int32_t>(position));
      batch_.type_ids.push_back(type_ids[column]);
      if (columns != nullptr) columns->push_back(column);
    }
    if (keys == 0)
      throw UsageError("a sequence without tokens",
                       {.field = "input_mask", .expected = "at least one 1 in every row"});
    batch_.first_token.push_back(batch_.word_ids.size());
    batch_.first_key.push_back(batch_.key_rows.size());
  }

  /// Appends one unpadded sequence.
  void append(std::span<const std::int32_t> word_ids, std::span<const std::int32_t> type_ids) {
    ones_.assign(word_ids.size(), 1);
    append(word_ids, ones_, type_ids);
  }

  const TokenBatch& batch() const noexcept { return batch_; }

  void clear() {
    batch_.word_ids.clear();
    batch_.position_ids.clear();
    batch_.type_ids.clear();
    batch_.key_rows.clear();
    batch_.first_token.assign(1, 0);
    batch_.first_key.assign(1, 0);
  }

 private:
  void check(std::int32_t id, std::int32_t mask, std::int32_t type) const {
    const auto outside = [](std::int32_t value, std::size_t size) {
      return value < 0 || static_cast<std::size_t>(value) >= size;
    };
    const auto refuse = [](const char* field, std::size_t size, std::int32_t value) {
      throw UsageError("value outside the model's table",
                       {.field = field,
                        .expected = "0 to " + std::to_string(size - 1),
                        .actual = std::to_string(value)});
    };
    if (outside(id, config_->vocab_size)) refuse("input_word_ids", config_->vocab_size, id);
    if (outside(type, config_->type_vocab_size))
      refuse("input_type_ids", config_->type_vocab_size, type);
    if (outside(mask, 2)) refuse("input_mask", 2, mask);
  }

  std::size_t next_position(std::int32_t id, std::size_t column, std::size_t& counted) const {
    if (config_->positions == PositionScheme::index) return column;
    if (static_cast<std::size_t>(id) == config_->pad_token_id) return config_->pad_token_id;
    return config_->pad_token_id + ++counted;
  }

  void check_position(std::size_t position) const {
    if (position < config_->max_position_embeddings) return;
    throw UsageError("sequence longer than the model's position table",
                     {.field = "seq_length",
                      .expected = "at most " + std::to_string(config_->max_sequence_length()) +
                                  " tokens, special tokens included"});
  }

  const EncoderConfig* config_;
  TokenBatch batch_;
  std::vector<std::int32_t> ones_;
};

}  // namespace klue::detail
