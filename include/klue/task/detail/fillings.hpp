#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/task/fill_mask.hpp>
#include <klue/text/tokenizer.hpp>

/// Logits to filled masks, after FillMaskPipeline of transformers 4.57.
namespace klue::detail {

/// The ids of FillMaskOptions::targets, each once; none where there are no targets. Throws
/// UsageError where there are some and none of them has a token.
std::vector<std::int32_t> target_ids(const Tokenizer& tokenizer,
                                     const std::vector<std::string>& targets);

/// A text with its masks, tokenized.
struct MaskedText {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::size_t> masks;  ///< positions
};

/// What one mask may stand for. `logits` are of the whole vocabulary; `targets` restrict the choice
/// where there are any.
std::vector<Filling> fillings_of(const Tokenizer& tokenizer, const MaskedText& text,
                                 std::size_t position, std::span<const float> logits,
                                 std::span<const std::int32_t> targets, std::size_t top_k);

/// The second clean-up of a decoded text, which PreTrainedTokenizerBase does on the whole string.
void clean_up_sequence(std::string& text);

}  // namespace klue::detail
