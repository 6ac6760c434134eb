#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/text/tokenizer.hpp>

/// KLUE's tasks, and between texts and a model as the official baseline goes there and back.
/// <klue/task/klue_ner.hpp>, klue_re.hpp and klue_mrc.hpp do it for the tasks that need more,
/// klue_runner.hpp runs a fine-tuned model, and klue_metrics.hpp scores what comes out.
namespace klue::baseline {

/// KLUE's tasks. Dependency parsing and dialogue states are not among them: their models have heads
/// that only KLUE-baseline knows.
enum class Benchmark : unsigned char { ynat, nli, sts, ner, re, mrc };

/// "ynat".
KLUE_EXPORT std::string_view benchmark_name(Benchmark benchmark) noexcept;

/// The labels in KLUE's order; none for STS and MRC.
KLUE_EXPORT std::span<const std::string_view> label_names(Benchmark benchmark) noexcept;

/// Ids of one input, special tokens included, without padding.
struct ModelInput {
  std::vector<std::int32_t> ids;  ///< special tokens included
  /// 1 from here on for a model with token types; unset: 0 all over.
  std::optional<std::size_t> second_segment{};
};

/// [CLS] text [SEP], or [CLS] text [SEP] pair [SEP]: YNAT, NLI and STS. What is too long is cut
/// token by token from the longer text, of equals from the second, as the Python tokenizers do it;
/// Truncation::longest_first, which is the Rust one's, gives other lengths where both are cut.
KLUE_EXPORT ModelInput text_input(const Tokenizer& tokenizer, std::string_view text,
                                  std::optional<std::string_view> pair = std::nullopt,
                                  std::size_t max_seq_length = 128);

/// The greatest logit's place: the first of equals, and a NaN is greater than any number.
KLUE_EXPORT std::size_t best_label(std::span<const float> logits);

/// Probabilities in float32.
KLUE_EXPORT std::vector<float> softmax(std::span<const float> logits);

}  // namespace klue::baseline
