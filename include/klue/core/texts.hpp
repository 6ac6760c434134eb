#pragma once

#include <concepts>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

namespace detail {

/// Something that is one text: a string, a view of one, a literal.
template <class T>
concept TextLike = std::convertible_to<T, std::string_view>;

/// A text that ends with the expression it stands in: whoever keeps a view of it reads freed
/// memory.
template <class T>
concept TemporaryText =
    TextLike<T> && !std::is_lvalue_reference_v<T> && std::constructible_from<std::string, T> &&
    std::is_class_v<std::remove_cvref_t<T>> &&
    !std::same_as<std::remove_cvref_t<T>, std::string_view>;

template <class T>
concept OptionalText =
    std::same_as<T, std::optional<std::string_view>> || std::same_as<T, std::nullopt_t>;

/// std::pair or std::tuple of two texts.
template <class T>
concept PairLike = requires(T pair) {
  requires std::tuple_size<std::remove_cvref_t<T>>::value == 2;
  { std::get<0>(pair) } -> TextLike;
  { std::get<1>(pair) } -> TextLike;
};

}  // namespace detail

/// A text, or two that belong together (premise and hypothesis, question and passage). UTF-8.
/// Views: what they show must outlive this, so that it is not made from strings that end at once.
struct TextPair {
  std::string_view text{};                      ///< UTF-8
  std::optional<std::string_view> text_pair{};  ///< unset: a single text

  TextPair() = default;
  /// A single text.
  template <detail::TextLike First>
  requires(!detail::TemporaryText<First&&>) TextPair(First&& first) : text(first) {}
  /// A pair.
  template <detail::TextLike First, detail::TextLike Second>
  requires(!detail::TemporaryText<First&&> && !detail::TemporaryText<Second&&>)
      TextPair(First&& first, Second&& second)
      : text(first), text_pair(std::string_view(second)) {}
  /// A pair where there is a second text.
  template <detail::TextLike First, detail::OptionalText Second>
  requires(!detail::TemporaryText<First&&>) TextPair(First&& first, Second second)
      : text(first), text_pair(second) {}
};

/// The texts of one call, whatever the caller keeps them in. Each of these means what it says:
///
///     model.embed("하나")                              one text
///     model.embed({"하나", "둘"})                       two texts
///     model.embed({{"전제", "가설"}, {"질문", "문단"}})   two pairs
///     model.embed(strings)                             a range of strings, of views, of TextPair,
///                                                      of std::pair<std::string, std::string>
///     model.embed(rows | std::views::transform([](auto& row) { return "query: " + row.body; }))
///
/// Views, which must outlive the call; only strings that a range makes as it goes, as in the last
/// line, are kept here. Ranges of other things that end at once do not compile.
class KLUE_EXPORT Texts {
 public:
  /// An element of a braced list, whose temporaries live until the end of the call.
  class Element {
   public:
    /// A single text.
    template <detail::TextLike First>
    Element(First&& first) : texts_(std::string_view(first), std::nullopt) {}
    /// A pair.
    template <detail::TextLike First, detail::TextLike Second>
    Element(First&& first, Second&& second)
        : texts_(std::string_view(first), std::string_view(second)) {}
    template <detail::TextLike First, detail::TextLike Second, class... More>
    Element(First&&, Second&&, More&&...) = delete;  // at most two texts belong together
    /// Either.
    Element(const TextPair& texts) : texts_(texts) {}

   private:
    friend class Texts;
    TextPair texts_;
  };

  /// A braced list of texts and pairs.
  Texts(std::initializer_list<Element> texts);

  /// One text.
  template <detail::TextLike One>
  Texts(One&& text) : Texts(TextPair(std::string_view(text), std::nullopt)) {}

  /// One text or pair.
  Texts(const TextPair& texts);

  /// A range of texts or pairs.
  template <std::ranges::input_range Range>
  requires(!std::same_as<std::remove_cvref_t<Range>, Texts> && !detail::TextLike<Range> &&
           (detail::TextLike<std::ranges::range_reference_t<Range>> ||
            detail::PairLike<std::ranges::range_reference_t<Range>> ||
            std::convertible_to<std::ranges::range_reference_t<Range>, TextPair>))
      Texts(Range&& range) {
    if constexpr (std::ranges::sized_range<Range>)
      reserve(static_cast<std::size_t>(std::ranges::size(range)));
    for (std::ranges::range_reference_t<Range> element : range)
      add(std::forward<std::ranges::range_reference_t<Range>>(element));
  }

  /// Texts or pairs.
  std::size_t size() const noexcept { return texts_.size(); }
  /// Whether there are none.
  bool empty() const noexcept { return texts_.empty(); }
  /// The i-th, which must be below size().
  const TextPair& operator[](std::size_t i) const noexcept { return texts_[i]; }

 private:
  template <class Of>
  void add(Of&& element) {
    if constexpr (detail::TextLike<Of>) {
      push_back(TextPair(view<Of>(element), std::nullopt));
    } else if constexpr (detail::PairLike<Of>) {
      // A part of a pair that ends at once ends with it, unless it is a reference.
      using First = decltype(std::get<0>(std::forward<Of>(element)));
      using Second = decltype(std::get<1>(std::forward<Of>(element)));
      push_back(TextPair(view<First>(std::get<0>(element)),
                         std::optional(view<Second>(std::get<1>(element)))));
    } else {
      static_assert(
          std::is_lvalue_reference_v<Of> || std::same_as<std::remove_cvref_t<Of>, TextPair>,
          "the elements of this range end before their texts are read");
      push_back(element);
    }
  }

  // A view of a text, of a copy kept here where the text ends at once.
  template <class Of, class Value>
  std::string_view view(Value& text) {
    if constexpr (detail::TemporaryText<Of>)
      return keep(std::string(std::move(text)));
    else
      return text;
  }

  // Not in the templates, whose every reader would have to compile them.
  void reserve(std::size_t size);
  void push_back(const TextPair& texts);
  std::string_view keep(std::string text);

  std::vector<TextPair> texts_;
  std::deque<std::string> kept_;  // whose elements never move
};

}  // namespace klue
