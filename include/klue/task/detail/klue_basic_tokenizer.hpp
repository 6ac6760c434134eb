#pragma once

#include <string>
#include <string_view>

namespace klue::detail {

/// What the BasicTokenizer of transformers 3.5.1, which keeps the case, makes of a text under
/// Python 3.11 (Unicode 14), joined by spaces. It is older than the classes that this library's
/// tokenizer follows, and differs in rare characters.
std::u32string basic_tokenized(std::u32string_view text);

/// " ".join(text.split()) of Python.
std::u32string folded_spaces(std::u32string_view text);

}  // namespace klue::detail
