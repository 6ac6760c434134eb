#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/detail/char_traits.hpp>
#include <klue/text/detail/normalizer.hpp>
#include <klue/text/offset.hpp>

namespace klue::detail {
namespace {

/// A character on its way through canonical decomposition. `own` is true for the first character
/// that comes of an original one, false for those that it brings along.
struct Decomposed {
  char32_t value;
  bool own;
  std::uint8_t combining_class;
};

// The reference decomposes by the tables of Unicode 9 and lower-cases by those of Unicode 17. What
// ICU knows beyond that is kept out, and what an older ICU does not know yet is listed, so that the
// result does not depend on the installed version.
constexpr int kNfdUnicode = 9, kLowercaseUnicode = 17;

bool since(char32_t c, int version) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] != 0 && age[0] <= version;
}

/// Capital letters of Unicode 16 and 17 and how far behind them their lower case is.
struct NewCapitals {
  char32_t first, last;
  std::int32_t distance;
};
constexpr NewCapitals kNewCapitals[] = {
    {0x1C89, 0x1C89, 1},      {0xA7CB, 0xA7CB, 0x0264 - 0xA7CB},
    {0xA7CC, 0xA7CC, 1},      {0xA7CE, 0xA7CE, 1},
    {0xA7D2, 0xA7D2, 1},      {0xA7D4, 0xA7D4, 1},
    {0xA7DA, 0xA7DA, 1},      {0xA7DC, 0xA7DC, 0x019B - 0xA7DC},
    {0x10D50, 0x10D65, 0x20}, {0x16EA0, 0x16EB8, 0x1B},
};

char32_t lowercase_of(char32_t c) {
  for (const NewCapitals& capitals : kNewCapitals)
    if (capitals.first <= c && c <= capitals.last)
      return static_cast<char32_t>(static_cast<std::int32_t>(c) + capitals.distance);
  if (!since(c, kLowercaseUnicode)) return c;
  return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
}

const UNormalizer2* nfd() {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* instance = unorm2_getNFDInstance(&status);
  if (U_FAILURE(status)) throw Error("the Unicode library has no normalization data");
  return instance;
}

void decompose(char32_t value, std::vector<Decomposed>& out) {
  const auto put = [&out](char32_t c, bool own) {
    const bool known = since(c, kNfdUnicode);
    out.push_back({c, own, known ? u_getCombiningClass(static_cast<UChar32>(c)) : std::uint8_t{0}});
  };
  if (!since(value, kNfdUnicode)) return put(value, true);
  std::array<UChar, 64> units;
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t length =
      unorm2_getDecomposition(nfd(), static_cast<UChar32>(value), units.data(),
                              static_cast<std::int32_t>(units.size()), &status);
  if (length < 0 || U_FAILURE(status)) return put(value, true);
  for (std::int32_t i = 0; i < length;) {
    const bool first = i == 0;
    UChar32 c = 0;
    U16_NEXT(units.data(), i, length, c);
    put(static_cast<char32_t>(c), first);
  }
}

/// Sorts a run of combining characters by their classes, stably.
void sort_marks(std::span<Decomposed> marks) {
  constexpr std::size_t kFew = 32;
  if (marks.size() <= kFew) {
    for (std::size_t i = 1; i < marks.size(); ++i)
      for (std::size_t j = i; j > 0 && marks[j - 1].combining_class > marks[j].combining_class; --j)
        std::swap(marks[j - 1], marks[j]);
    return;
  }
  std::array<std::size_t, 257> places{};  // where the next of a class goes
  for (const Decomposed& mark : marks)
    ++places[mark.combining_class + std::size_t{1}];
  std::partial_sum(places.begin(), places.end(), places.begin());
  const std::vector<Decomposed> unsorted(marks.begin(), marks.end());
  for (const Decomposed& mark : unsorted)
    marks[places[mark.combining_class]++] = mark;
}

/// Canonical ordering.
void reorder(std::vector<Decomposed>& text) {
  for (auto begin = text.begin(); begin != text.end();) {
    if (begin->combining_class == 0) {
      ++begin;
      continue;
    }
    const auto end =
        std::find_if(begin, text.end(), [](const Decomposed& c) { return c.combining_class == 0; });
    sort_marks({begin, end});
    begin = end;
  }
}

/// NFD, then no nonspacing marks, of the characters from `begin` on. The reference tracks where
/// characters come from by position, not by identity: the n-th character that is some original's
/// own takes the place of the n-th original, also where reordering has exchanged them. Offsets have
/// to follow.
void strip_accents_from(std::vector<NormalizedChar>& text, std::size_t begin,
                        const CharTable& traits) {
  std::vector<Decomposed> decomposed;
  decomposed.reserve(text.size() - begin);
  std::vector<Offset> offsets;
  offsets.reserve(text.size() - begin);
  for (std::size_t i = begin; i < text.size(); ++i) {
    decompose(text[i].value, decomposed);
    offsets.push_back({text[i].begin, text[i].end});
  }
  reorder(decomposed);

  text.resize(begin);
  std::size_t originals = 0;
  for (const Decomposed& c : decomposed) {
    if (c.own) ++originals;
    if ((traits[c.value] & nonspacing_mark) != 0) continue;
    const Offset& from = offsets[originals == 0 ? 0 : originals - 1];
    text.push_back({c.value, from.begin, from.end});
  }
}

/// Lower case one character at a time, as Rust's char::to_lowercase: no final sigma, and U+0130 is
/// the one that becomes two.
void lowercase_from(std::vector<NormalizedChar>& text, std::size_t begin) {
  constexpr char32_t kCapitalIWithDot = 0x130, kDotAbove = 0x307;
  std::size_t dotted = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i].value == kCapitalIWithDot)
      ++dotted;
    else
      text[i].value = lowercase_of(text[i].value);
  }
  if (dotted == 0) return;
  std::size_t from = text.size();
  text.resize(text.size() + dotted);
  for (std::size_t to = text.size(); from-- > begin;) {
    const NormalizedChar c = text[from];
    const bool two = c.value == kCapitalIWithDot;
    if (two) text[--to] = {kDotAbove, c.begin, c.end};
    text[--to] = {two ? U'i' : c.value, c.begin, c.end};
  }
}

}  // namespace

Normalizer::Normalizer(const TokenizerConfig& config)
    : clean_text_(config.clean_text),
      handle_chinese_chars_(config.handle_chinese_chars),
      strip_accents_(config.strip_accents),
      lowercase_(config.lowercase) {
  for (const CharTraitsRange& range : char_traits_table())
    for (char32_t c = range.first; c <= range.last; ++c)
      traits_.set(c, range.traits);
}

void Normalizer::operator()(std::string_view text, std::size_t offset,
                            std::vector<NormalizedChar>& out) const {
  const std::size_t first = out.size();
  for (std::size_t i = 0; i < text.size();) {
    const auto c = decode_utf8(text.substr(i));
    NormalizedChar put{c.value, offset + i, offset + i + c.length};
    i += c.length;
    const std::uint32_t traits = traits_[c.value];
    if (clean_text_ && (traits & hf_control) != 0) continue;
    if (clean_text_ && (traits & hf_blank) != 0) put.value = U' ';
    const bool isolate = handle_chinese_chars_ && (traits & hf_cjk) != 0;
    if (isolate) out.push_back({U' ', put.begin, put.end});
    out.push_back(put);
    if (isolate) out.push_back({U' ', put.begin, put.end});
  }
  if (strip_accents_) strip_accents_from(out, first, traits_);
  if (lowercase_) lowercase_from(out, first);
}

std::size_t Normalizer::boundary(std::string_view text, std::size_t from) const {
  // Behind three continuation bytes no character of before goes on.
  for (int i = 0; i < 3 && from < text.size() && (text[from] & 0xC0) == 0x80; ++i)
    ++from;
  while (from < text.size()) {
    const auto c = decode_utf8(text.substr(from));
    // Only marks change places, and only with marks before them.
    if (!strip_accents_ || unorm2_hasBoundaryBefore(nfd(), static_cast<UChar32>(c.value)) != 0)
      break;
    from += c.length;
  }
  return std::min(from, text.size());
}

std::string Normalizer::normalized(std::string_view text) const {
  std::vector<NormalizedChar> chars;
  (*this)(text, 0, chars);
  std::string result;
  for (const NormalizedChar& c : chars)
    append_utf8(result, c.value);
  return result;
}

}  // namespace klue::detail
