#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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
              std::vector<std::size_t>* columns = nullptr);

  /// Appends one unpadded sequence.
  void append(std::span<const std::int32_t> word_ids, std::span<const std::int32_t> type_ids);

  const TokenBatch& batch() const noexcept { return batch_; }

  void clear();

 private:
  void check(std::int32_t id, std::int32_t mask, std::int32_t type) const;

  std::size_t next_position(std::int32_t id, std::size_t column, std::size_t& counted) const;

  void check_position(std::size_t position) const;

  const EncoderConfig* config_;
  TokenBatch batch_;
  std::vector<std::int32_t> ones_;
};

}  // namespace klue::detail
