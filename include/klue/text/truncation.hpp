#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

/// How texts that are too long together are cut.
enum class Truncation : std::uint8_t {
  longest_first,  ///< Hugging Face: the longest text first, down to equal lengths
  only_first,     ///< Hugging Face: only the first text
  only_second,    ///< Hugging Face: only the second text
  round_robin,    ///< TensorFlow Text's RoundRobinTrimmer: equal shares, what is left to the longer
  waterfall,      ///< TensorFlow Text's WaterfallTrimmer: the room is filled from left to right
  error,          ///< nothing is cut; too long is a UsageError
};

/// All of them, in the order of a command's help.
inline constexpr Truncation kTruncations[] = {Truncation::longest_first, Truncation::only_first,
                                              Truncation::only_second,   Truncation::round_robin,
                                              Truncation::waterfall,     Truncation::error};

/// "longest_first": how commands spell it.
constexpr std::string_view truncation_name(Truncation truncation) {
  switch (truncation) {
    case Truncation::longest_first:
      return "longest_first";
    case Truncation::only_first:
      return "only_first";
    case Truncation::only_second:
      return "only_second";
    case Truncation::round_robin:
      return "round_robin";
    case Truncation::waterfall:
      return "waterfall";
    case Truncation::error:
      return "error";
  }
  return "";
}

/// Which end of a text that is too long is cut.
enum class TruncationSide : std::uint8_t { left, right };

/// How many tokens of each text are kept so that all together are at most `budget`.
///
/// - longest_first: for two texts, Hugging Face's rule: the shorter keeps what fits into half the
///   budget; where both are cut, an odd token goes to the longer, on a tie to the second. For more
///   texts the longest is shortened one token at a time, the last of equals keeping more.
/// - only_first, only_second: UsageError where that text would not keep a single token, or where
///   there is no second text; a budget of 0 leaves nothing of any text, as Hugging Face has it.
/// - round_robin: texts no longer than an equal share of what is left keep all; of the others each
///   gets the share, and the remainder goes one each in order.
/// - error: UsageError where the texts do not fit.
///
/// O(n log n) in the number of texts.
KLUE_EXPORT std::vector<std::size_t> truncated_lengths(std::span<const std::size_t> lengths,
                                                       std::size_t budget, Truncation truncation);

}  // namespace klue
