#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/utf8.hpp>

namespace klue::test {

/// The same numbers everywhere, unlike the standard distributions (splitmix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// In [0, bound).
  std::size_t operator()(std::size_t bound) {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<std::size_t>((z ^ (z >> 31)) % bound);
  }
  template <class List>
  const auto& pick(const List& list) {
    return list[(*this)(list.size())];
  }

 private:
  std::uint64_t state_;
};

/// Text of the kinds that tokenizers stumble over, glued together at random: Hangul (frequent and
/// rare syllables, jamo of three sorts), Latin, CJK, emoji, controls, spaces, special tokens, raw
/// pieces of `vocabulary`, and now and then bytes that are not UTF-8.
inline std::string random_text(Random& random, const std::vector<std::string>& vocabulary) {
  static const std::vector<std::u32string> alphabets = {
      U"이가을는의에다하고지로사한은도자",
      U"abcdefghijklmnopqrstuvwxyzABCDEFG",
      U"0123456789",
      U"大韓民國中人金\u4dbf\u9fff\uf900\U00020000\U0002b820\U0002b91f\U0002b920",
      U"ㅋㅎㅠㅜㄱㄴㅏㅓᆞ",
      U"ᄀ나ᅥᆨᆫ",
      U"!?.,()[]#~\"'-_…·“”‘’「」",
      U"    \t\n\r\u00a0\u3000\u2028\u0085",
      U"\u200b\u00ad\ufeff\u0001\u001f\u200d\ue000\u0300\u0301\ufe0f\ufffd",
      U"😀👍🏽👩💻☺❤★①㎏",
      U"éñüßİıσς",
      U"aab",
      U"가나다"};
  static const std::vector<std::string_view> words = {
      "[CLS]", "[MASK]", "[SEP", "[", "##", "]", "\xFF", "\xE2\x82", "\xED\xA0\x80"};
  std::string text;
  for (std::size_t runs = 1 + random(6); runs > 0; --runs) {
    const std::size_t kind = random(16);
    if (kind == 0) {
      text += random.pick(words);
    } else if (kind <= 4) {
      std::string_view piece = random.pick(vocabulary);
      if (piece.starts_with("##")) piece.remove_prefix(2);
      text += piece;
    } else if (kind == 5) {
      append_utf8(text, static_cast<char32_t>(0xAC00 + random(11172)));
    } else if (kind == 6 && random(4) == 0) {
      append_utf8(text, static_cast<char32_t>(random(0xD800)));
    } else {
      const std::u32string& alphabet = random.pick(alphabets);
      const std::size_t length = random(200) == 0 ? 90 + random(20) : 1 + random(5);
      for (std::size_t i = 0; i < length; ++i)
        append_utf8(text, random.pick(alphabet));
    }
    if (random(3) == 0) text += ' ';
  }
  return text;
}

}  // namespace klue::test
