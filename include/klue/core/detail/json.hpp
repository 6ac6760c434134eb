#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <klue/core/detail/json_document.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {

class JsonElements;
class JsonMembers;

/// A value of a JSON file that knows the file and the way to itself, so that whatever is wrong with
/// it is reported with its place. Nodes share the document: each of them keeps it alive.
///
/// Only inline functions: klue_hub, which is linked by itself, compiles its own.
class JsonNode {
 public:
  JsonNode(std::shared_ptr<const JsonDocument> document, std::uint32_t index)
      : document_(std::move(document)), index_(index) {}

  const std::string& file() const noexcept { return document_->file(); }
  /// "model.vocab", "added_tokens[3].id"; empty for the whole file. Searched for when it is asked
  /// for: only errors need it.
  std::string path() const { return document_->path_of(index_); }

  bool is_null() const noexcept { return kind() == Kind::null; }
  bool is_boolean() const noexcept { return kind() == Kind::boolean; }
  bool is_number() const noexcept {
    return kind() == Kind::natural || kind() == Kind::negative || kind() == Kind::real;
  }
  bool is_string() const noexcept { return kind() == Kind::string; }
  bool is_array() const noexcept { return kind() == Kind::array; }
  bool is_object() const noexcept { return kind() == Kind::object; }

  /// Elements of an array, members of an object, else 0.
  std::size_t size() const noexcept { return document_->size_of(index_); }

  /// A member; nothing where it is absent or null. Of a key that is there twice the last counts, as
  /// in Python. O(log n). Throws FormatError where this is no object.
  std::optional<JsonNode> find(std::string_view key) const {
    require(is_object(), "an object");
    const std::uint32_t found = document_->find(index_, key);
    if (found == JsonDocument::kNone || document_->value(found).kind == Kind::null)
      return std::nullopt;
    return JsonNode(document_, found);
  }

  /// A member that has to be there, even if it is null. Throws FormatError where it is not.
  JsonNode at(std::string_view key) const {
    require(is_object(), "an object");
    const std::uint32_t found = document_->find(index_, key);
    if (found != JsonDocument::kNone) return JsonNode(document_, found);
    std::string field = path();
    field.append(field.empty() ? "" : ".").append(key);
    throw FormatError("missing key", {.file = file(), .field = std::move(field)});
  }

  /// Throws FormatError where this is no string; the others likewise.
  std::string string() const { return std::string(string_view()); }
  /// The same without a copy, for as long as any node of the document lives.
  std::string_view string_view() const {
    require(is_string(), "a string");
    return document_->text_of(index_);
  }
  bool boolean() const {
    require(is_boolean(), "true or false");
    return value().bits != 0;
  }
  /// A whole number in [least, most]; 2.0 and "2" are none.
  std::uint64_t integer(std::uint64_t least, std::uint64_t most) const {
    const std::optional<std::uint64_t> number = natural();
    if (!number || *number < least || *number > most)
      wrong("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return *number;
  }
  /// A number of [0, 2^31 - 2], as token ids and types are.
  std::int32_t id() const {
    return static_cast<std::int32_t>(integer(0, std::numeric_limits<std::int32_t>::max() - 1));
  }
  /// The value where it is a whole number from 0 to 2^64 - 1.
  std::optional<std::uint64_t> natural() const noexcept {
    return kind() == Kind::natural ? std::optional(value().bits) : std::nullopt;
  }
  /// A finite number.
  double number() const {
    const double number = is_number() ? document_->number_of(index_) : std::nan("");
    require(std::isfinite(number), "a finite number");
    return number;
  }

  /// In the order of the file; a member whose key comes again later is left out.
  JsonElements elements() const;
  JsonMembers members() const;

  /// The member's value where it is there, else `fallback`.
  bool boolean_or(std::string_view key, bool fallback) const {
    const auto member = find(key);
    return member ? member->boolean() : fallback;
  }
  std::string string_or(std::string_view key, std::string fallback) const {
    const auto member = find(key);
    return member ? member->string() : std::move(fallback);
  }

  /// The value for an error message; long ones are cut.
  std::string shown() const;

  [[noreturn]] void unsupported(std::string expected, const char* message = "not supported") const {
    throw UnsupportedError(
        message,
        {.file = file(), .field = path(), .expected = std::move(expected), .actual = shown()});
  }
  [[noreturn]] void wrong(std::string expected, const char* message = "wrong value") const {
    throw FormatError(
        message,
        {.file = file(), .field = path(), .expected = std::move(expected), .actual = shown()});
  }

 private:
  using Kind = JsonDocument::Kind;
  Kind kind() const noexcept { return value().kind; }
  const JsonDocument::Value& value() const noexcept { return document_->value(index_); }
  void require(bool condition, const char* expected) const {
    if (!condition) wrong(expected);
  }

  std::shared_ptr<const JsonDocument> document_;
  std::uint32_t index_;
};

struct JsonMember {
  std::string_view key;  ///< for as long as any node of the document lives
  JsonNode value;
};

/// The children of an array or object, for `for`.
template <class Child>
class JsonChildren {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = Child;
    using difference_type = std::ptrdiff_t;

    Iterator(const std::shared_ptr<const JsonDocument>* document, std::uint32_t index,
             std::uint32_t end)
        : document_(document), index_(index), end_(end) {
      skip_replaced();
    }
    Child operator*() const {
      if constexpr (std::same_as<Child, JsonMember>)
        return {(*document_)->text_of(index_), JsonNode(*document_, index_ + 1)};
      else
        return JsonNode(*document_, index_);
    }
    Iterator& operator++() {
      index_ = (*document_)->after(std::same_as<Child, JsonMember> ? index_ + 1 : index_);
      skip_replaced();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    void skip_replaced() {
      while (index_ != end_ && (*document_)->value(index_).kind == JsonDocument::Kind::replaced_key)
        index_ = (*document_)->after(index_ + 1);
    }
    const std::shared_ptr<const JsonDocument>* document_;
    std::uint32_t index_, end_;
  };

  JsonChildren(std::shared_ptr<const JsonDocument> document, std::uint32_t parent)
      : document_(std::move(document)), parent_(parent) {}
  Iterator begin() const { return {&document_, parent_ + 1, document_->after(parent_)}; }
  Iterator end() const {
    const std::uint32_t after = document_->after(parent_);
    return {&document_, after, after};
  }
  std::size_t size() const noexcept { return document_->size_of(parent_); }
  bool empty() const noexcept { return size() == 0; }

 private:
  std::shared_ptr<const JsonDocument> document_;
  std::uint32_t parent_;
};

class JsonElements : public JsonChildren<JsonNode> {
  using JsonChildren::JsonChildren;
};
class JsonMembers : public JsonChildren<JsonMember> {
  using JsonChildren::JsonChildren;
};

inline JsonElements JsonNode::elements() const {
  require(is_array(), "an array");
  return {document_, index_};
}

inline JsonMembers JsonNode::members() const {
  require(is_object(), "an object");
  return {document_, index_};
}

inline std::string JsonNode::shown() const {
  constexpr std::size_t kMost = 80;
  switch (kind()) {
    case Kind::array:
      return "an array";
    case Kind::object:
      return "an object";
    case Kind::null:
      return "null";
    case Kind::boolean:
      return value().bits != 0 ? "true" : "false";
    case Kind::natural:
      return std::to_string(value().bits);
    case Kind::negative:
      return std::to_string(static_cast<std::int64_t>(value().bits));
    case Kind::real: {
      char digits[32];
      const auto end = std::to_chars(digits, digits + sizeof digits, document_->number_of(index_));
      std::string text(digits, end.ptr);
      return text.find_first_of(".e") == text.npos ? text + ".0" : text;
    }
    default:
      break;
  }
  std::string_view text = document_->text_of(index_);
  const bool cut = text.size() > kMost;
  if (cut) {
    text = text.substr(0, kMost - 3);
    while (!text.empty() && (text.back() & 0xC0) == 0x80)  // not within a character
      text.remove_suffix(1);
    if (!text.empty() && (text.back() & 0x80) != 0) text.remove_suffix(1);
  }
  return std::string("\"").append(text).append(cut ? "...\"" : "\"");
}

/// The root of a text. Throws FormatError, with `file`, where it is not one JSON value in valid
/// UTF-8, or nests deeper than JsonDocument::most_depth. Time: in proportion to the text, times log
/// n for objects of n members. Memory: at most 10 times the text, whatever is in it.
inline JsonNode parse_json(std::string_view text, std::string file) {
  return {std::make_shared<const JsonDocument>(text, std::move(file)), 0};
}

/// The same of a file. Throws IoError, too, and FormatError for one of more than budget::text_file.
inline JsonNode read_json(const Place& file) {
  return parse_json(map_text_file(file).text(), file.string());
}

/// A file that has to hold one object.
inline JsonNode read_json_object(const Place& file) {
  JsonNode root = read_json(file);
  if (!root.is_object()) root.wrong("an object", "not a JSON object");
  return root;
}

}  // namespace klue::detail
