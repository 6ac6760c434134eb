#pragma once

#include <cstddef>

/// What a file may cost: the one place where the library's bounds stand. docs/robustness.md says
/// what they add up to, and tests/model/budget_test.cpp measures it.
///
/// The rule: reading a file takes time and memory at most in proportion to its size. A format that
/// could describe more than it holds is bounded by a factor here, or an absolute number where a
/// factor would mean nothing.
namespace klue::detail::budget {

/// Of configurations, vocabularies, tokenizers and indices. The largest that are published have 20
/// MB; 300,000 added tokens, written with indentation, have 60.
inline constexpr std::size_t kTextFile = std::size_t{256} << 20;

/// What a .tar.gz may unpack to: this often its size, and so much more. Trained weights shrink by a
/// tenth, float32 that was bfloat16 by half; gzip itself can grow a thousandfold.
inline constexpr std::size_t kUnpackedTimes = 16, kUnpackedPlus = std::size_t{64} << 20;

/// What a tensor takes in the readers and in the checkpoint, nodes of maps and all.
inline constexpr std::size_t kTensorBytes = 640;

/// What a reader may use for the description of tensors: as much as the file has, and what small
/// files need. A model's description is a ten thousandth of it, so no real file comes near.
inline constexpr std::size_t kDescriptionPlus = std::size_t{1} << 20;

/// What layers may be packed into, float32: this often the bytes that their tensors have in the
/// file, and so much more. float16 becomes twice as much, and tied weights are used twice; layers
/// that all share one tensor have to be asked for (LoadOptions::weight_expansion).
inline constexpr std::size_t kExpandedTimes = 4, kExpandedPlus = std::size_t{64} << 20;

}  // namespace klue::detail::budget
