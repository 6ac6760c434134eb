// Writes char_traits.inc: build the target char_traits_generator and run
//     build/release/tools/char_traits/char_traits_generator >
//     include/klue/text/impl/char_traits.inc
//
// The reference tokenizers carry Unicode tables of different ages. ICU knows today's general
// category of a code point and the version it came with, so each table is "the category, for code
// points that old", and the exceptions that are left are listed here with their reason.

#include <cstdint>
#include <cstdio>

#include <unicode/uchar.h>
#include <unicode/uversion.h>

#include <klue/text/detail/char_traits.hpp>

namespace {

bool since(UChar32 c, int version) {
  UVersionInfo age;
  u_charAge(c, age);
  return age[0] != 0 && age[0] <= version;
}

bool in(UChar32 c, UChar32 first, UChar32 last) {
  return first <= c && c <= last;
}

bool is(UChar32 c, std::uint32_t mask) {
  return (U_MASK(u_charType(c)) & mask) != 0;
}

bool ascii_punctuation(UChar32 c) {
  return in(c, '!', '/') || in(c, ':', '@') || in(c, '[', '`') || in(c, '{', '~');
}

// The crate unicode_categories 0.1, which BertNormalizer and BertPreTokenizer ask, has the tables
// of Unicode 8.
constexpr int hf_unicode = 8;

// RE2's tables (2022-06-01) are those of Unicode 15.
constexpr int tf_unicode = 15;

bool hf_is_control(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c == 0 || c == 0xFFFD) return true;
  return is(c, U_GC_CC_MASK | U_GC_CO_MASK) || (is(c, U_GC_CF_MASK) && since(c, hf_unicode));
}

bool hf_is_cjk(UChar32 c) {
  // U+2B820–U+2B91F is left out there; BERT's original has 2B820.
  return in(c, 0x4E00, 0x9FFF) || in(c, 0x3400, 0x4DBF) || in(c, 0x20000, 0x2A6DF) ||
         in(c, 0x2A700, 0x2B81F) || in(c, 0x2B920, 0x2CEAF) || in(c, 0xF900, 0xFAFF) ||
         in(c, 0x2F800, 0x2FA1F);
}

bool tf_is_cjk(UChar32 c) {
  return in(c, 0x4E00, 0x9FFF) || in(c, 0x3400, 0x4DBF) || in(c, 0x20000, 0x2A6DF) ||
         in(c, 0x2A700, 0x2CEAF) || in(c, 0xF900, 0xFAFF) || in(c, 0x2F800, 0x2FA1F);
}

bool hf_is_punctuation(UChar32 c) {
  // CANADIAN SYLLABICS CHI SIGN became a symbol in Unicode 12, SHARADA SANDHI MARK a mark in 11.
  if (c == 0x166D || c == 0x111C9) return true;
  return ascii_punctuation(c) || (is(c, U_GC_P_MASK) && since(c, hf_unicode));
}

bool was_nonspacing_mark(UChar32 c) {
  if (c == 0x1734) return true;  // HANUNOO SIGN PAMUDPOD: Mc only since Unicode 14
  // A punctuation mark, two letters and a spacing mark at the time.
  if (c == 0x111C9 || c == 0x1885 || c == 0x1886 || c == 0xA9BD) return false;
  return is(c, U_GC_MN_MASK) && since(c, hf_unicode);
}

// \w of the crate regex, whose tables are those of Unicode 16: what ICU 72 does not know yet.
bool is_new_word_character(UChar32 c) {
  constexpr UChar32 ranges[][2] = {
      {0x0897, 0x0897},   {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},
      {0x105C0, 0x105F3}, {0x10D40, 0x10D65}, {0x10D69, 0x10D6D}, {0x10D6F, 0x10D85},
      {0x10EC2, 0x10EC4}, {0x10EFC, 0x10EFC}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
      {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113C0}, {0x113C2, 0x113C2},
      {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D3}, {0x113E1, 0x113E2},
      {0x116D0, 0x116E3}, {0x11BC0, 0x11BE0}, {0x11BF0, 0x11BF9}, {0x11F5A, 0x11F5A},
      {0x13460, 0x143FA}, {0x16100, 0x16139}, {0x16D40, 0x16D6C}, {0x16D70, 0x16D79},
      {0x18CFF, 0x18CFF}, {0x1CCF0, 0x1CCF9}, {0x1E5D0, 0x1E5FA}, {0x2EBF0, 0x2EE5D}};
  for (const auto& [first, last] : ranges)
    if (in(c, first, last)) return true;
  return false;
}

bool regex_is_word(UChar32 c) {
  if (is_new_word_character(c)) return true;
  return u_hasBinaryProperty(c, UCHAR_ALPHABETIC) || u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) ||
         is(c, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK);
}

std::uint16_t traits(UChar32 c) {
  using namespace klue::detail;
  unsigned bits = 0;
  const bool white = u_hasBinaryProperty(c, UCHAR_WHITE_SPACE);
  if (hf_is_control(c))
    bits |= hf_control;
  else if (white)
    bits |= hf_blank;
  if (hf_is_cjk(c)) bits |= hf_cjk;
  if (white) bits |= hf_split | regex_space;
  if (hf_is_punctuation(c)) bits |= hf_punctuation;

  const bool tf_control = is(c, U_GC_CC_MASK | U_GC_CF_MASK) && since(c, tf_unicode);
  if (tf_control || c == ' ') bits |= tf_separator;
  if (ascii_punctuation(c) || (is(c, U_GC_P_MASK) && since(c, tf_unicode)) || tf_is_cjk(c))
    bits |= tf_isolate;

  if (regex_is_word(c)) bits |= regex_word;
  if (was_nonspacing_mark(c)) bits |= nonspacing_mark;
  return static_cast<std::uint16_t>(bits);
}

}  // namespace

int main() {
  std::printf("// Written by char_traits_generator.cpp from Unicode %s. Do not edit.\n",
              U_UNICODE_VERSION);
  for (UChar32 first = 0; first <= 0x10FFFF;) {
    const std::uint16_t bits = traits(first);
    UChar32 last = first;
    while (last < 0x10FFFF && traits(last + 1) == bits)
      ++last;
    if (bits != 0) std::printf("{0x%04X, 0x%04X, 0x%03X},\n", first, last, bits);
    first = last + 1;
  }
}
