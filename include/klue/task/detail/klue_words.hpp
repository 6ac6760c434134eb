#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace klue::detail {

/// A context as SquadExample of transformers 3.5.1 splits it.
struct SquadWords {
  std::vector<std::u32string> words;
  /// [code points] the number of the word that each is in or behind; -1 before the first.
  std::vector<std::ptrdiff_t> word_of_character;
};

SquadWords squad_words(std::u32string_view context);

}  // namespace klue::detail
