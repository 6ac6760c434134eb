#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <klue/core/encoder_inputs.hpp>
#include <klue/text/encoding.hpp>
#include <klue/text/truncation.hpp>

namespace klue::detail {

/// What `bert_pack_inputs` puts around the texts.
struct PackOptions {
  std::size_t seq_length = 128;
  Truncation truncation = Truncation::round_robin;
  std::int32_t cls = 0, sep = 0, pad = 0;
  std::size_t type_vocab_size = 1;  ///< segment k gets type min(k, type_vocab_size - 1)
};

/// Rows of `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]` and so on, cut and padded to
/// [batch, seq_length]. `segments[k][i]` is the k-th text of row i, so all segments have the same
/// number of texts.
///
/// Throws UsageError where there is no segment, segments differ in length, or seq_length has no
/// room for the special tokens. O(batch × seq_length).
EncoderInputs pack_inputs(std::span<const std::span<const Tokens>> segments,
                          const PackOptions& options);

}  // namespace klue::detail
