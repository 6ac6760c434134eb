#include <string>
#include <string_view>

#include <unicode/uchar.h>

#include <klue/task/detail/code_points.hpp>
#include <klue/task/detail/klue_basic_tokenizer.hpp>

namespace klue::detail {
namespace {

// The general category in Unicode 14; what was assigned later had none then.
UCharCategory category_in_python(char32_t c) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  const bool is_later = age[0] > 14;
  return is_later ? U_UNASSIGNED : static_cast<UCharCategory>(u_charType(static_cast<UChar32>(c)));
}

bool is_dropped_by_python(char32_t c, UCharCategory category) {
  if (c == 0 || c == 0xFFFD) return true;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return category == U_CONTROL_CHAR || category == U_FORMAT_CHAR || category == U_UNASSIGNED ||
         category == U_PRIVATE_USE_CHAR || category == U_SURROGATE;
}

bool is_ideograph_to_python(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_punctuation_to_python(char32_t c, UCharCategory category) {
  if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
      (c >= 123 && c <= 126))
    return true;
  return category == U_DASH_PUNCTUATION || category == U_START_PUNCTUATION ||
         category == U_END_PUNCTUATION || category == U_CONNECTOR_PUNCTUATION ||
         category == U_OTHER_PUNCTUATION || category == U_INITIAL_PUNCTUATION ||
         category == U_FINAL_PUNCTUATION;
}

}  // namespace

std::u32string folded_spaces(std::u32string_view text) {
  std::u32string result;
  bool space = false;
  for (const char32_t c : text) {
    if (is_split_space(c)) {
      space = !result.empty();
      continue;
    }
    if (space) result.push_back(U' ');
    space = false;
    result.push_back(c);
  }
  return result;
}

std::u32string basic_tokenized(std::u32string_view text) {
  std::u32string spaced;
  for (const char32_t c : text) {
    const UCharCategory category = category_in_python(c);
    if (is_dropped_by_python(c, category)) continue;
    const bool alone = is_ideograph_to_python(c) || is_punctuation_to_python(c, category);
    if (alone) spaced.push_back(U' ');
    spaced.push_back(c);
    if (alone) spaced.push_back(U' ');
  }
  return folded_spaces(spaced);
}

}  // namespace klue::detail
