#include <algorithm>
#include <cstring>

#include <klue/text/detail/added_tokens.hpp>
#include <klue/text/detail/char_traits.hpp>
#include <klue/text/utf8.hpp>

namespace klue::detail {
namespace {

bool has_trait(char32_t c, CharTraits trait) {
  return (char_traits(c) & trait) != 0;
}

/// Where the last code point of a non-empty text begins; the text is cut at code points.
std::size_t last_code_point(std::string_view text) {
  std::size_t begin = text.size() - 1;
  for (int i = 0; i < 3 && begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80;
       ++i)
    --begin;
  // In ill-formed text the last subsequence may be shorter than what was stepped over.
  while (begin + decode_utf8(text.substr(begin)).length < text.size())
    ++begin;
  return begin;
}

bool ends_with_trait(std::string_view text, CharTraits trait) {
  return !text.empty() && has_trait(decode_utf8(text.substr(last_code_point(text))).value, trait);
}

bool starts_with_trait(std::string_view text, CharTraits trait) {
  return !text.empty() && has_trait(decode_utf8(text).value, trait);
}

/// `begin` moved left over whitespace, not beyond `floor`.
std::size_t skip_space_left(std::string_view text, std::size_t begin, std::size_t floor) {
  while (begin > floor && ends_with_trait(text.substr(0, begin), regex_space))
    begin = last_code_point(text.substr(0, begin));
  return std::max(begin, floor);
}

std::size_t skip_space_right(std::string_view text, std::size_t end) {
  while (starts_with_trait(text.substr(end), regex_space))
    end += decode_utf8(text.substr(end)).length;
  return end;
}

std::uint64_t edge(std::uint32_t node, char byte) {
  return (std::uint64_t{node} << 8) | static_cast<unsigned char>(byte);
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::span<const AddedToken> tokens,
                                     std::span<const std::string> spellings) {
  token_at_.push_back(-1);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string& spelling = spellings[i];
    if (spelling.empty()) continue;
    std::uint32_t node = 0;
    for (const char byte : spelling) {
      const auto next = static_cast<std::uint32_t>(token_at_.size());
      const auto [place, added] = edges_.emplace(edge(node, byte), next);
      if (added) token_at_.push_back(-1);
      node = place->second;
    }
    // Of two tokens with the same spelling the first one counts.
    if (token_at_[node] >= 0) continue;
    token_at_[node] = static_cast<std::int32_t>(tokens_.size());
    tokens_.push_back(tokens[i]);
    first_bytes_.set(static_cast<unsigned char>(spelling.front()));
    only_first_byte_ = spelling.front();
  }
  if (first_bytes_.count() != 1) only_first_byte_.reset();
}

std::size_t AddedTokenMatcher::candidate(std::string_view text, std::size_t from) const noexcept {
  if (only_first_byte_) return std::min(text.find(*only_first_byte_, from), text.size());
  if (tokens_.empty()) return text.size();
  while (from < text.size() && !first_bytes_[static_cast<unsigned char>(text[from])])
    ++from;
  return from;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::longest_at(std::string_view text,
                                                                      std::size_t begin) const {
  std::optional<Match> longest;
  std::uint32_t node = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const auto next = edges_.find(edge(node, text[i]));
    if (next == edges_.end()) break;
    node = next->second;
    if (token_at_[node] >= 0)
      longest = Match{i + 1, &tokens_[static_cast<std::size_t>(token_at_[node])]};
  }
  return longest;
}

std::vector<AddedTokenMatcher::Part> AddedTokenMatcher::split(std::string_view text) const {
  std::vector<Part> parts;
  std::size_t done = 0;  // everything before it is in parts
  for (std::size_t from = 0; (from = candidate(text, from)) < text.size();) {
    const auto match = longest_at(text, from);
    if (!match) {
      ++from;
      continue;
    }
    std::size_t begin = from, end = match->end;
    from = end;
    const AddedToken& token = *match->token;
    if (token.single_word && (ends_with_trait(text.substr(0, begin), regex_word) ||
                              starts_with_trait(text.substr(end), regex_word)))
      continue;
    if (token.lstrip) begin = skip_space_left(text, begin, done);
    if (token.rstrip) end = skip_space_right(text, end);
    if (done < begin) parts.push_back({done, begin, std::nullopt});
    parts.push_back({begin, end, token.id});
    done = end;
  }
  if (done != text.size()) parts.push_back({done, text.size(), std::nullopt});
  return parts;
}

}  // namespace klue::detail
