#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <klue/text/detail/char_table.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::detail {

/// A character of the normalized text and the bytes of the original that it came from.
struct NormalizedChar {
  char32_t value;
  std::size_t begin, end;
};

/// Hugging Face's BertNormalizer in full, for configurations that change characters (lower case,
/// accents) and for added tokens that are looked for in the normalized text. The KLUE models need
/// neither; their tokenizer reads the text in place.
class Normalizer {
 public:
  explicit Normalizer(const TokenizerConfig& config);

  /// Appends the normalized characters of `text`; `offset` is where it stands in the original.
  void operator()(std::string_view text, std::size_t offset,
                  std::vector<NormalizedChar>& out) const;

  /// Where a text can be cut so that both parts give what the whole gives: the first such place at
  /// or behind `from`, at most text.size().
  std::size_t boundary(std::string_view text, std::size_t from) const;

  /// The normalized form by itself.
  std::string normalized(std::string_view text) const;

  std::size_t memory_bytes() const noexcept { return traits_.memory_bytes(); }

 private:
  bool clean_text_, handle_chinese_chars_, strip_accents_, lowercase_;
  CharTable traits_;
};

}  // namespace klue::detail
