#include "common/text_encoding.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include <unicode/ucnv.h>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>

namespace tools {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ::ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

// What Koreans call CP949 or EUC-KR is Microsoft's superset of both, as the WHATWG has it, too. ICU
// knows IBM's tables under those names, which lack 8,822 syllables or map "\" to a won sign.
std::string icu_name(const std::string& encoding) {
  std::string key;
  for (const char c : encoding)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      key.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  for (const char* korean : {"cp949", "ms949", "uhc", "windows949", "euckr", "ksc5601",
                             "ksc56011987", "ksc56011992", "korean", "949"})
    if (key == korean) return "windows-949";
  return encoding;
}

Converter open_converter(const std::string& encoding) {
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(::ucnv_open(icu_name(encoding).c_str(), &error));
  if (U_FAILURE(error))
    throw klue::UsageError("no such encoding", {.field = "--encoding",
                                                .expected = "a name as CP949, EUC-KR or UTF-16LE",
                                                .actual = encoding});
  return converter;
}

class DecodingSource final : public ByteSource {
 public:
  DecodingSource(std::unique_ptr<ByteSource> source, const std::string& encoding)
      : source_(std::move(source)), from_(open_converter(encoding)), to_(open_converter("UTF-8")) {}

  std::size_t read(std::span<char> bytes) override {
    for (;;) {
      if (next_ == end_ && !ended_) {
        const std::size_t count = source_->read(encoded_);
        next_ = encoded_.data();
        end_ = next_ + count;
        ended_ = count == 0;
      }
      char* target = bytes.data();
      UErrorCode error = U_ZERO_ERROR;
      ::ucnv_convertEx(to_.get(), from_.get(), &target, target + bytes.size(), &next_, end_,
                       pivot_.data(), &pivot_source_, &pivot_target_, pivot_.data() + pivot_.size(),
                       /*reset=*/false, /*flush=*/ended_, &error);
      const auto count = static_cast<std::size_t>(target - bytes.data());
      if (count > 0 || (ended_ && error != U_BUFFER_OVERFLOW_ERROR)) return count;
    }
  }

  bool ready() override { return next_ != end_ || source_->ready(); }
  std::uint64_t position() const override { return source_->position(); }

 private:
  std::unique_ptr<ByteSource> source_;
  Converter from_, to_;
  std::array<char, 1 << 16> encoded_{};
  const char *next_ = nullptr, *end_ = nullptr;
  std::array<UChar, 1 << 12> pivot_{};
  UChar *pivot_source_ = pivot_.data(), *pivot_target_ = pivot_.data();
  bool ended_ = false;
};

struct ByteOrderMark {
  std::string_view bytes;
  const char* encoding;
};
// The longest first: UTF-32LE's begins as UTF-16LE's does.
constexpr ByteOrderMark kByteOrderMarks[] = {{{"\xFF\xFE\0\0", 4}, "UTF-32LE"},
                                             {{"\0\0\xFE\xFF", 4}, "UTF-32BE"},
                                             {{"\xEF\xBB\xBF", 3}, "UTF-8"},
                                             {{"\xFF\xFE", 2}, "UTF-16LE"},
                                             {{"\xFE\xFF", 2}, "UTF-16BE"}};

bool is_utf8_name(const std::string& encoding) {
  UErrorCode error = U_ZERO_ERROR;
  const Converter converter = open_converter(encoding);
  return std::string_view(::ucnv_getName(converter.get(), &error)) == "UTF-8";
}

// The text where all of it is of the encoding.
std::optional<std::u16string> decode_strictly(std::string_view bytes, const char* encoding) {
  const Converter converter = open_converter(encoding);
  UErrorCode error = U_ZERO_ERROR;
  ::ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr,
                        &error);
  std::u16string text(bytes.size() + 1, u'\0');
  const auto length =
      ::ucnv_toUChars(converter.get(), text.data(), static_cast<int32_t>(text.size()), bytes.data(),
                      static_cast<int32_t>(bytes.size()), &error);
  if (U_FAILURE(error)) return std::nullopt;
  text.resize(static_cast<std::size_t>(length));
  return text;
}

bool is_hangul(char16_t unit) {
  return (unit >= 0xAC00 && unit <= 0xD7A3) || (unit >= 0x3131 && unit <= 0x318E);
}

// What a Korean text is made of: Hangul, ASCII, the usual punctuation and ideographs.
bool is_usual(char16_t unit) {
  return is_hangul(unit) || unit == u'\t' || unit == u'\n' || unit == u'\r' ||
         (unit >= 0x20 && unit < 0x7F) || (unit >= 0x2010 && unit <= 0x2026) ||
         (unit >= 0x3000 && unit <= 0x301F) || (unit >= 0x4E00 && unit <= 0x9FFF) || unit == 0xB7;
}

bool reads_as_text(std::string_view bytes, const char* encoding, std::size_t least_hangul,
                   bool with_ascii = false) {
  const std::optional<std::u16string> text = decode_strictly(bytes, encoding);
  if (!text || text->empty()) return false;
  if (with_ascii && std::ranges::none_of(*text, [](char16_t unit) { return unit < 0x80; }))
    return false;
  const auto usual = static_cast<std::size_t>(std::ranges::count_if(*text, is_usual));
  const auto hangul = static_cast<std::size_t>(std::ranges::count_if(*text, is_hangul));
  return hangul >= least_hangul && usual * 10 >= text->size() * 9;
}

struct Utf8Counts {
  std::size_t valid = 0, invalid = 0;  // sequences of several bytes; ill-formed ones
  std::size_t controls = 0;            // that no text has
};

Utf8Counts count_utf8(std::string_view text) {
  Utf8Counts counts;
  while (!text.empty()) {
    const klue::DecodedCodePoint point = klue::decode_utf8(text);
    if (!point.valid)
      ++counts.invalid;
    else if (point.length > 1)
      ++counts.valid;
    else if (point.value < 0x20 && point.value != '\t' && point.value != '\n' &&
             point.value != '\r' && point.value != '\f')
      ++counts.controls;
    text.remove_prefix(point.length);
  }
  return counts;
}

}  // namespace

std::unique_ptr<ByteSource> decode_text(std::unique_ptr<HeadSource> source,
                                        const std::string& encoding) {
  std::string name = encoding;
  std::string_view head = source->head(4);
  // A single byte could still become a mark.
  for (const ByteOrderMark& mark : kByteOrderMarks) {
    if (!head.starts_with(mark.bytes)) continue;
    if (!encoding.empty() && is_utf8_name(encoding) != (mark.bytes.size() == 3)) continue;
    source->skip(mark.bytes.size());
    if (encoding.empty() || encoding == "UTF-16" || encoding == "UTF-32") name = mark.encoding;
    break;
  }
  if (name.empty() || is_utf8_name(name)) return source;
  return std::make_unique<DecodingSource>(std::move(source), name);
}

void check_encoding_name(const std::string& encoding) {
  open_converter(encoding);
}

std::optional<std::string> other_encoding(std::string_view bytes) {
  const bool has_nul = bytes.find('\0') != bytes.npos;
  const Utf8Counts counts = count_utf8(bytes);
  const std::string_view pairs = bytes.substr(0, bytes.size() & ~std::size_t{1});
  // A few syllables of CP949 are others of UTF-16, which has a NUL wherever there is a space or a
  // line's end.
  if (!has_nul && counts.invalid > counts.valid && reads_as_text(bytes, "CP949", 1)) return "CP949";
  // NULs are those of UTF-16 where they are halves of ASCII; "a\0b" alone would be ideographs.
  if (has_nul || counts.invalid > counts.valid)
    for (const char* utf16 : {"UTF-16LE", "UTF-16BE"})
      if (pairs.size() >= 4 && reads_as_text(pairs, utf16, has_nul ? 0 : 2, has_nul)) return utf16;
  if (counts.invalid <= counts.valid) return std::nullopt;
  if (reads_as_text(bytes, "CP949", 1)) return "CP949";
  // Some damage is no other encoding, and neither is what is no text at all.
  constexpr std::size_t kTooMany = 8;
  if (counts.invalid >= kTooMany && counts.controls == 0) return "";
  return std::nullopt;
}

std::optional<std::string> EncodingGuard::look(std::string_view line) {
  if (clear_) return std::nullopt;
  const bool ascii =
      std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (ascii && line.find('\0') == line.npos) return std::nullopt;
  constexpr std::size_t kEnough = std::size_t{1} << 14;
  sample_.append(line.substr(0, kEnough)).push_back('\n');
  std::optional<std::string> other;
  if (!is_utf8(line) || line.find('\0') != line.npos) other = other_encoding(sample_);
  clear_ = sample_.size() >= kEnough;
  return other;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const klue::DecodedCodePoint point = klue::decode_utf8(text);
    if (!point.valid) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const klue::DecodedCodePoint point = klue::decode_utf8(text);
    klue::append_utf8(valid, point.value);
    text.remove_prefix(point.length);
  }
  return valid;
}

}  // namespace tools
