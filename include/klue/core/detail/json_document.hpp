#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>

namespace klue::detail {

/// A parsed JSON text, flat: 16 bytes for each value and the bytes of the strings, in three blocks
/// of memory whose sizes are known before anything is built. A tree of nodes, as JSON libraries
/// make it, takes up to a hundred times the text, and nlohmann's needs memory to be destroyed,
/// which ends the process where there is none.
///
/// Values stand in the order of the text, containers before their content, and keys before their
/// values.
class JsonDocument {
 public:
  static constexpr std::size_t kMostDepth = 128;
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  enum class Kind : std::uint32_t {
    null,
    boolean,
    natural,   ///< a whole number from 0 to 2^64 - 1
    negative,  ///< a whole number from -2^63 to -1
    real,
    string,
    array,
    object,
    key,
    replaced_key  ///< that comes again in the same object
  };

  struct Value {
    Kind kind = Kind::null;
    std::uint32_t extent = 0;  ///< bytes of a string, values inside of a container
    /// The number, the place of the string, or of a container the number of its children, with the
    /// place of its sorted keys in the upper half.
    std::uint64_t bits = 0;
  };

  /// Throws FormatError as parse_json says.
  JsonDocument(std::string_view text, std::string file) : file_(std::move(file)) {
    if (text.size() >= kNone) throw FormatError("a JSON text of more than 4 GiB", {.file = file_});
    reserve(text);
    Builder builder(*this);
    nlohmann::json::sax_parse(text, &builder);
  }

  const std::string& file() const noexcept { return file_; }
  const Value& value(std::uint32_t index) const noexcept { return values_[index]; }

  std::size_t size_of(std::uint32_t index) const noexcept {
    return is_container(values_[index]) ? values_[index].bits & kNone : 0;
  }

  /// The index behind a value and all that is in it.
  std::uint32_t after(std::uint32_t index) const noexcept {
    return index + 1 + (is_container(values_[index]) ? values_[index].extent : 0);
  }

  /// Of a string or key.
  std::string_view text_of(std::uint32_t index) const noexcept {
    return std::string_view(strings_).substr(values_[index].bits, values_[index].extent);
  }

  double number_of(std::uint32_t index) const noexcept {
    const Value& number = values_[index];
    if (number.kind == Kind::real) return std::bit_cast<double>(number.bits);
    if (number.kind == Kind::negative)
      return static_cast<double>(static_cast<std::int64_t>(number.bits));
    return static_cast<double>(number.bits);
  }

  /// The index of a member's value, or none.
  std::uint32_t find(std::uint32_t object, std::string_view key) const noexcept {
    const std::size_t count = size_of(object);
    if (count > kMostUnsorted) {
      const auto first =
          sorted_keys_.begin() + static_cast<std::ptrdiff_t>(values_[object].bits >> 32);
      const auto last = first + static_cast<std::ptrdiff_t>(count);
      const auto found = std::lower_bound(
          first, last, key, [&](std::uint32_t k, std::string_view t) { return text_of(k) < t; });
      return found != last && text_of(*found) == key ? *found + 1 : kNone;
    }
    for (std::uint32_t at = object + 1; at != after(object); at = after(at + 1))
      if (values_[at].kind == Kind::key && text_of(at) == key) return at + 1;
    return kNone;
  }

  /// O(values before it).
  std::string path_of(std::uint32_t index) const {
    std::string path;
    for (std::uint32_t at = 0; at != index;) {
      const bool object = values_[at].kind == Kind::object;
      std::uint32_t child = at + 1;
      std::size_t number = 0;
      for (;; ++number) {
        const std::uint32_t next = after(object ? child + 1 : child);
        if (index < next) break;
        child = next;
      }
      if (object)
        path.append(path.empty() ? "" : ".").append(text_of(child++));
      else
        path.append("[").append(std::to_string(number)).append("]");
      at = child;
    }
    return path;
  }

 private:
  /// Objects of more members are sorted, so that no file makes look-ups slow.
  static constexpr std::size_t kMostUnsorted = 16;

  static bool is_container(const Value& value) noexcept {
    return value.kind == Kind::array || value.kind == Kind::object;
  }

  /// Counts values and the bytes of strings, which grow by no escape.
  void reserve(std::string_view text) {
    std::size_t values = 1, string_bytes = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '"') {
        in_string = !in_string;
      } else if (in_string) {
        ++string_bytes;
        if (c == '\\') ++i, ++string_bytes;
      } else {
        values += c == ',' || c == ':' || c == '[' || c == '{';
      }
    }
    // No text has more: between any two values there is a byte.
    values_.reserve(std::min(values, text.size() / 2 + 1));
    strings_.reserve(string_bytes);
  }

  class Builder {
   public:
    explicit Builder(JsonDocument& document) : document_(document) {}

    bool null() { return add(Kind::null, 0); }
    bool boolean(bool value) { return add(Kind::boolean, value); }
    bool number_integer(std::int64_t value) {
      return add(value < 0 ? Kind::negative : Kind::natural, static_cast<std::uint64_t>(value));
    }
    bool number_unsigned(std::uint64_t value) { return add(Kind::natural, value); }
    bool number_float(double value, const std::string&) {
      return add(Kind::real, std::bit_cast<std::uint64_t>(value));
    }
    bool string(const std::string& text) { return add_text(Kind::string, text); }
    bool binary(const nlohmann::json::binary_t&) { return false; }  // never in a text

    bool start_object(std::size_t) { return open(Kind::object); }
    bool start_array(std::size_t) { return open(Kind::array); }
    bool key(const std::string& text) { return add_text(Kind::key, text); }
    bool end_object() {
      document_.finish_object(open_.back(), count_members(open_.back()));
      return close();
    }
    bool end_array() {
      Value& array = document_.values_[open_.back()];
      array.extent = inside(open_.back());
      array.bits = 0;
      for (std::uint32_t at = open_.back() + 1; at != end(); at = document_.after(at))
        ++array.bits;
      return close();
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
      throw FormatError(
          "not valid JSON",
          {.file = document_.file_, .actual = "an error at byte " + std::to_string(position)});
    }

   private:
    std::uint32_t end() const { return static_cast<std::uint32_t>(document_.values_.size()); }
    std::uint32_t inside(std::uint32_t container) const { return end() - container - 1; }

    std::uint32_t count_members(std::uint32_t object) {
      document_.values_[object].extent = inside(object);
      std::uint32_t count = 0;
      for (std::uint32_t at = object + 1; at != end(); at = document_.after(at + 1))
        ++count;
      return count;
    }

    bool add(Kind kind, std::uint64_t bits) {
      document_.values_.push_back({kind, 0, bits});
      return true;
    }
    bool add_text(Kind kind, const std::string& text) {
      document_.values_.push_back(
          {kind, static_cast<std::uint32_t>(text.size()), document_.strings_.size()});
      document_.strings_.append(text);
      return true;
    }
    bool open(Kind kind) {
      if (open_.size() == kMostDepth)
        throw FormatError("the JSON nests too deep",
                          {.file = document_.file_,
                           .expected = "at most " + std::to_string(kMostDepth) + " levels"});
      open_.push_back(end());
      return add(kind, 0);
    }
    bool close() {
      open_.pop_back();
      return true;
    }

    JsonDocument& document_;
    std::vector<std::uint32_t> open_{};  // containers, outermost first
  };

  /// Marks keys that come again, and sorts what is left of large objects.
  void finish_object(std::uint32_t object, std::uint32_t members) {
    const std::size_t first = sorted_keys_.size();
    for (std::uint32_t at = object + 1; at != values_.size(); at = after(at + 1))
      sorted_keys_.push_back(at);
    const auto begin = sorted_keys_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, sorted_keys_.end(), [&](std::uint32_t a, std::uint32_t b) {
      const int order = text_of(a).compare(text_of(b));
      return order < 0 || (order == 0 && a < b);
    });
    auto kept = begin;
    for (auto key = begin; key != sorted_keys_.end(); ++key) {
      const auto next = key + 1;
      if (next != sorted_keys_.end() && text_of(*next) == text_of(*key)) {
        values_[*key].kind = Kind::replaced_key;
        --members;
      } else {
        *kept++ = *key;
      }
    }
    sorted_keys_.erase(kept, sorted_keys_.end());
    if (members <= kMostUnsorted) sorted_keys_.resize(first);
    values_[object].bits = members | std::uint64_t{first} << 32;
  }

  std::string file_;
  std::vector<Value> values_;
  std::string strings_;
  std::vector<std::uint32_t> sorted_keys_;
};

}  // namespace klue::detail
