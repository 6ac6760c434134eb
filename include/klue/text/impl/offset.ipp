#include <algorithm>
#include <string>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/offset.hpp>

namespace klue {
namespace {

/// Walks the text once, whatever the order of the offsets: their ends are visited in ascending
/// order.
template <class UnitsOf>
std::vector<Offset> convert(std::string_view text, std::span<const Offset> offsets,
                            UnitsOf units_of) {
  std::vector<Offset> result(offsets.begin(), offsets.end());
  std::vector<std::size_t*> places;
  places.reserve(2 * result.size());
  for (Offset& offset : result) {
    if (offset.begin > text.size() || offset.end > text.size())
      throw UsageError("offset behind the end of the text",
                       {.expected = "at most " + std::to_string(text.size()),
                        .actual = std::to_string(std::max(offset.begin, offset.end))});
    places.push_back(&offset.begin);
    places.push_back(&offset.end);
  }
  std::sort(places.begin(), places.end(),
            [](const std::size_t* a, const std::size_t* b) { return *a < *b; });

  std::size_t byte = 0, units = 0;
  for (std::size_t* place : places) {
    while (byte < *place) {
      const auto c = decode_utf8(text.substr(byte));
      byte += c.length;
      units += units_of(c.value);
    }
    *place = units;
  }
  return result;
}

}  // namespace

std::vector<Offset> to_code_points(std::string_view text, std::span<const Offset> offsets) {
  return convert(text, offsets, [](char32_t) -> std::size_t { return 1; });
}

std::vector<Offset> to_utf16(std::string_view text, std::span<const Offset> offsets) {
  return convert(text, offsets, [](char32_t c) -> std::size_t { return c < 0x10000 ? 1 : 2; });
}

}  // namespace klue
