#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/train/objective.hpp>

namespace klue::train {

/// Sequences to train on, one after another without padding, and what is right for them.
struct KLUE_EXPORT Batch {
  std::vector<std::int32_t> word_ids, position_ids, type_ids;  ///< [tokens]
  std::vector<std::size_t> first_token{0};                     ///< [sequences + 1]
  /// [sequences] How many of the first tokens may be attended to, at least 1; empty: all. Only for
  /// who wants padding, as the original computes it.
  std::vector<std::size_t> keys{};
  /// [sequences] Names the random numbers of dropout; empty: 0, 1, 2, … A sequence keeps its
  /// numbers in any batch.
  std::vector<std::uint64_t> streams{};

  std::vector<std::int32_t> classes{};        ///< [sequences], or [tokens] with kIgnored
  std::vector<double> values{};               ///< [sequences × labels], or [pairs] of similarities
  std::vector<std::size_t> starts{}, ends{};  ///< [sequences] tokens of the answer

  /// Texts.
  std::size_t sequences() const noexcept { return first_token.size() - 1; }
  /// Tokens of all of them.
  std::size_t tokens() const noexcept { return first_token.back(); }
  /// Tokens of one of them.
  std::size_t length(std::size_t sequence) const {
    return first_token[sequence + 1] - first_token[sequence];
  }

  /// Appends a sequence with the positions of `config`; type_ids may be empty: all 0. For
  /// Head::embedding sequences 2 i and 2 i + 1 are pair i. Throws UsageError for an id, type or
  /// length outside the model's tables.
  void append(const EncoderConfig& config, std::span<const std::int32_t> ids,
              std::span<const std::int32_t> types = {});
};

}  // namespace klue::train
