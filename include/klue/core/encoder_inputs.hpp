#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

/// What `bert_pack_inputs` makes and the encoder takes: three [batch, seq_length] integer matrices
/// in C order, under the names of the TF-Hub module.
///
/// `text` makes these and `encoder` consumes them, and the two do not know each other, so the type
/// lives here. It may also be filled by hand, from ids made elsewhere.
struct EncoderInputs {
  std::size_t batch = 0;                       ///< rows
  std::size_t seq_length = 0;                  ///< tokens of each row, padding included
  std::vector<std::int32_t> input_word_ids{};  ///< vocabulary ids, [PAD] where input_mask is 0
  std::vector<std::int32_t> input_mask{};      ///< 1 on real tokens, 0 on padding
  std::vector<std::int32_t> input_type_ids{};  ///< segment of each token; all 0 for RoBERTa

  /// Row `row` of input_word_ids, [seq_length].
  std::span<const std::int32_t> word_ids(std::size_t row) const {
    return {input_word_ids.data() + row * seq_length, seq_length};
  }
  /// Row `row` of input_mask, [seq_length].
  std::span<const std::int32_t> mask(std::size_t row) const {
    return {input_mask.data() + row * seq_length, seq_length};
  }
  /// Row `row` of input_type_ids, [seq_length].
  std::span<const std::int32_t> type_ids(std::size_t row) const {
    return {input_type_ids.data() + row * seq_length, seq_length};
  }
};

}  // namespace klue
