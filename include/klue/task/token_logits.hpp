#pragma once

#include <klue/core/tensor.hpp>
#include <klue/text/encoding.hpp>

namespace klue {

/// What a head says of every token of a text, or of one window of it, before anything is decoded.
struct TokenLogits {
  Encoding encoding;  ///< the tokens, special ones included, with their offsets in bytes
  Tensor logits;      ///< [tokens, outputs of the head]
};

}  // namespace klue
