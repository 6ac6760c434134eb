#include <algorithm>
#include <iterator>

#include <klue/text/detail/char_traits.hpp>

namespace klue::detail {
namespace {

// clang-format off
constexpr CharTraitsRange kRanges[] = {
#include <klue/text/impl/char_traits.inc>
};
// clang-format on

}  // namespace

std::uint16_t char_traits(char32_t code_point) noexcept {
  const auto* range =
      std::lower_bound(std::begin(kRanges), std::end(kRanges), code_point,
                       [](const CharTraitsRange& r, char32_t value) { return r.last < value; });
  if (range == std::end(kRanges) || code_point < range->first) return 0;
  return range->traits;
}

CharTraitsTable char_traits_table() noexcept {
  return {std::begin(kRanges), std::end(kRanges)};
}

}  // namespace klue::detail
