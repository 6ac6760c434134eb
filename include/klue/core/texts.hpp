#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace klue {

/// A text, or two that belong together (premise and hypothesis, question and passage). UTF-8.
struct TextPair {
  std::string_view text{};
  std::optional<std::string_view> text_pair{};
};

/// The texts of one call, whatever the caller keeps them in: `{"하나", "둘"}`, a vector of strings
/// or string views, a range of TextPair. Views only: the texts must outlive the call.
class Texts {
 public:
  Texts(std::initializer_list<std::string_view> texts) {
    texts_.reserve(texts.size());
    for (const std::string_view text : texts)
      texts_.push_back({text});
  }

  template <std::ranges::input_range Range>
  requires(!std::same_as<std::remove_cvref_t<Range>, Texts> &&
           (std::convertible_to<std::ranges::range_reference_t<Range>, std::string_view> ||
            std::convertible_to<std::ranges::range_reference_t<Range>, TextPair>))
      Texts(const Range& range) {
    if constexpr (std::ranges::sized_range<const Range>) texts_.reserve(std::ranges::size(range));
    for (const auto& element : range) {
      if constexpr (std::convertible_to<decltype(element), std::string_view>)
        texts_.push_back({std::string_view(element)});
      else
        texts_.push_back(element);
    }
  }

  std::size_t size() const noexcept { return texts_.size(); }
  bool empty() const noexcept { return texts_.empty(); }
  const TextPair& operator[](std::size_t i) const noexcept { return texts_[i]; }

 private:
  std::vector<TextPair> texts_;
};

}  // namespace klue
