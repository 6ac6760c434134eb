#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/detail/added_tokens.hpp>
#include <klue/text/detail/char_traits.hpp>

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

/// Keeps a damaged id from asking for gigabytes of holes.
void check_added_id(const AddedToken& token, std::size_t vocabulary_size, const std::string& file) {
  if (token.id < 0 || static_cast<std::size_t>(token.id) > vocabulary_size + 1'000'000)
    throw FormatError("an id far outside the vocabulary",
                      {.file = file,
                       .field = "added token \"" + token.content + "\"",
                       .expected = "near " + std::to_string(vocabulary_size),
                       .actual = std::to_string(token.id)});
}

}  // namespace

std::vector<AddedToken> in_search_order(std::span<const AddedToken> listed) {
  std::vector<AddedToken> order;
  std::unordered_set<std::string_view> special;
  for (const AddedToken& token : listed)
    if (token.special && !token.content.empty() && special.insert(token.content).second)
      order.push_back(token);

  std::unordered_map<std::string_view, const AddedToken*> last;
  for (const AddedToken& token : listed) {
    if (token.content.empty()) continue;
    const AddedToken*& before = last[token.content];
    if (before != nullptr && *before == token) continue;
    before = &token;
    if (!special.contains(token.content)) order.push_back(token);
  }
  for (AddedToken& token : order) {
    const bool normalized = token.normalized;
    token = *last.at(token.content);
    token.normalized = normalized;
  }
  return order;
}

void number_added_tokens(std::vector<AddedToken>& listed, const Vocabulary& vocabulary,
                         const std::string& file) {
  const auto pieces = static_cast<std::int32_t>(std::ranges::count_if(
      vocabulary.pieces(), [](const std::string& piece) { return !piece.empty(); }));
  const auto is_free = [&vocabulary](std::int32_t id) {
    const auto index = static_cast<std::size_t>(id);
    return index >= vocabulary.size() || vocabulary.pieces()[index].empty();
  };
  std::unordered_map<std::string_view, std::int32_t> ids;
  std::int32_t next = pieces;
  for (AddedToken& token : listed) {
    check_added_id(token, vocabulary.size(), file);
    if (token.content.empty()) continue;
    if (const auto known = vocabulary.find(token.content)) {
      if (*known != token.id)
        throw FormatError("an added token has another id in the vocabulary",
                          {.file = file,
                           .field = "added token \"" + token.content + "\"",
                           .expected = std::to_string(*known),
                           .actual = std::to_string(token.id)});
      next = std::max(next, *known + 1);
    } else if (const auto [place, added] = ids.emplace(token.content, next); !added) {
      token.id = place->second;
    } else {
      if (is_free(next)) token.id = next;
      place->second = token.id;
      next = std::max(next, token.id + 1);
    }
  }
}

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens,
                                     std::span<const std::string> spellings)
    : tokens_(std::move(tokens)) {
  const std::vector<std::string_view> words(spellings.begin(), spellings.end());
  std::size_t longest = 0;
  for (const std::string_view word : words) {
    longest = std::max(longest, word.size());
    lengths_.push_back(word.size());
    if (word.empty()) continue;
    first_bytes_.set(static_cast<unsigned char>(word.front()));
    only_first_byte_ = word.front();
  }
  if (first_bytes_.count() != 1) only_first_byte_.reset();
  forward_ = ByteTrie(words, false);
  if (longest > kMostBytesTried) backward_.emplace(words, true);
}

std::size_t AddedTokenMatcher::candidate(std::string_view text, std::size_t from) const noexcept {
  if (only_first_byte_) return std::min(text.find(*only_first_byte_, from), text.size());
  if (tokens_.empty()) return text.size();
  while (from < text.size() && !first_bytes_[static_cast<unsigned char>(text[from])])
    ++from;
  return from;
}

AddedTokenMatcher::Parts::Parts(const AddedTokenMatcher& matcher, std::string_view text)
    : matcher_(matcher), text_(text), from_(matcher.candidate(text, 0)) {
  if (from_ == text.size() || !matcher.backward_) return;
  // Read backwards, what ends at a byte is what begins there.
  longest_at_.resize(text.size());
  auto node = ByteTrie::kRoot;
  for (std::size_t i = text.size(); i-- > from_;) {
    node = matcher.backward_->step(node, text[i]);
    longest_at_[i] = matcher.backward_->longest_suffix(node);
  }
}

std::optional<AddedTokenMatcher::Parts::Match> AddedTokenMatcher::Parts::next_match() {
  for (; (from_ = matcher_.candidate(text_, from_)) < text_.size(); ++from_) {
    std::int32_t longest = ByteTrie::kNothing;
    std::size_t end = from_;
    if (!longest_at_.empty()) {
      longest = longest_at_[from_];
      if (longest != ByteTrie::kNothing)
        end += matcher_.lengths_[static_cast<std::size_t>(longest)];
    } else {
      auto node = ByteTrie::kRoot;
      for (std::size_t i = from_; i < text_.size(); ++i) {
        node = matcher_.forward_.child(node, text_[i]);
        if (node == ByteTrie::kRoot) break;
        if (matcher_.forward_.word(node) == ByteTrie::kNothing) continue;
        longest = matcher_.forward_.word(node);
        end = i + 1;
      }
    }
    if (longest == ByteTrie::kNothing) continue;
    const AddedToken& token = matcher_.tokens_[static_cast<std::size_t>(longest)];
    return Match{std::exchange(from_, end), end, &token};
  }
  return std::nullopt;
}

std::size_t AddedTokenMatcher::Parts::end_of_space(std::size_t begin) {
  if (begin < space_begin_ || begin > space_end_) {
    space_begin_ = begin;
    space_end_ = skip_space_right(text_, begin);
  }
  return space_end_;
}

std::optional<AddedTokenMatcher::Part> AddedTokenMatcher::Parts::next() {
  if (pending_) return std::exchange(pending_, std::nullopt);
  while (const auto match = next_match()) {
    std::size_t begin = match->begin, end = match->end;
    const AddedToken& token = *match->token;
    if (token.single_word && (ends_with_trait(text_.substr(0, begin), regex_word) ||
                              starts_with_trait(text_.substr(end), regex_word)))
      continue;
    if (token.lstrip) begin = skip_space_left(text_, begin, done_);
    if (token.rstrip) end = end_of_space(end);
    if (begin >= end) continue;  // the token before has taken all of it along
    const Part part{begin, end, &token}, before{done_, begin};
    done_ = end;
    if (before.begin >= before.end) return part;
    pending_ = part;
    return before;
  }
  if (done_ == text_.size()) return std::nullopt;
  return Part{std::exchange(done_, text_.size()), text_.size()};
}

}  // namespace klue::detail
