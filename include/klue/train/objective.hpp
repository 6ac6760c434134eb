#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <klue/encoder/config.hpp>

namespace klue::train {

/// What stands on the encoder.
enum class Head : std::uint8_t {
  sequence,   ///< logits of a sequence: RobertaForSequenceClassification
  tokens,     ///< logits of every token: RobertaForTokenClassification
  span,       ///< where an answer begins and ends: RobertaForQuestionAnswering
  masked_lm,  ///< logits of the vocabulary, the word embeddings as decoder: RobertaForMaskedLM
  embedding   ///< the mean over a sequence's tokens, as sentence-transformers
};

/// What is made small. A mean over a batch each, or over a step where `Pass::denominator` says so.
enum class Objective : std::uint8_t {
  cross_entropy,         ///< Head::sequence; over the sequences of Batch::classes
  binary_cross_entropy,  ///< Head::sequence; several labels at once, over sequences × labels
  squared_error,         ///< Head::sequence; (logit − value)², over sequences × labels
  token_cross_entropy,   ///< Head::tokens and masked_lm; over the tokens with a class
  span_cross_entropy,    ///< Head::span; of beginning and end, halved, over the sequences
  cosine_squared_error,  ///< Head::embedding; (cos(a, b) − value)², over the pairs
  cosent,  ///< Head::embedding; log(1 + Σ exp(20 (cosᵢ − cosⱼ))) where valueᵢ < valueⱼ
  in_batch_negatives  ///< Head::embedding; cross entropy of 20 · cos(aᵢ, bⱼ) with j = i right
};

/// The factor of cosines in CoSENT and with in-batch negatives; of sentence-transformers.
inline constexpr double kSimilarityScale = 20.0;

/// The class of a token that no loss looks at.
inline constexpr std::int32_t kIgnored = -100;

/// What is trained.
struct NetworkConfig {
  EncoderConfig encoder{};     ///< what is below the head
  Head head = Head::sequence;  ///< what stands on it
  std::size_t labels = 0;      ///< logits of Head::sequence and Head::tokens; of no other head
};

}  // namespace klue::train
