#pragma once

#include <cstdint>
#include <string_view>

namespace klue {

/// Which original a tokenizer equals, token for token.
enum class Dialect : std::uint8_t {
  huggingface,  ///< Hugging Face's Rust `tokenizers` with BertNormalizer and BertPreTokenizer
  tensorflow,   ///< the TF-Hub preprocess module (TensorFlow Text's BERT basic tokenizer)
};

/// All of them, in the order of a command's help.
inline constexpr Dialect kDialects[] = {Dialect::huggingface, Dialect::tensorflow};

/// "huggingface": how commands spell it.
constexpr std::string_view dialect_name(Dialect dialect) {
  return dialect == Dialect::huggingface ? "huggingface" : "tensorflow";
}

}  // namespace klue
