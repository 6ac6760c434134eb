// Windows over a context, after squad_convert_example_to_features of transformers 3.5.1.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/detail/code_points.hpp>
#include <klue/task/detail/klue_basic_tokenizer.hpp>
#include <klue/task/detail/klue_words.hpp>
#include <klue/task/klue_mrc.hpp>

namespace klue::detail {

SquadWords squad_words(std::u32string_view context) {
  SquadWords result;
  bool behind_space = true;
  for (const char32_t c : context) {
    const bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0x202F;
    if (!is_space) {
      if (behind_space) result.words.emplace_back();
      result.words.back().push_back(c);
    }
    behind_space = is_space;
    result.word_of_character.push_back(std::ssize(result.words) - 1);
  }
  return result;
}

}  // namespace klue::detail

namespace klue::baseline {
namespace {

// How much a window shows around one of its tokens, as the original weighs it.
std::optional<double> shown_around(const MrcWindow& window, std::size_t token) {
  if (token < window.first_token || token >= window.first_token + window.tokens)
    return std::nullopt;
  const std::size_t left = token - window.first_token;
  const std::size_t right = window.tokens - 1 - left;
  return static_cast<double>(std::min(left, right)) + 0.01 * static_cast<double>(window.tokens);
}

// A token is read in the window that shows most around it, the first of equals.
void mark_max_context(std::vector<MrcWindow>& windows) {
  for (std::size_t w = 0; w < windows.size(); ++w)
    for (std::size_t i = 0; i < windows[w].tokens; ++i) {
      const std::size_t token = windows[w].first_token + i;
      const double here = *shown_around(windows[w], token);
      bool best = true;
      // Windows begin in order and are of one length but the last, so others that hold the token
      // stand beside this one.
      for (std::size_t v = w; best && v-- > 0;) {
        const auto there = shown_around(windows[v], token);
        if (!there) break;
        best = *there < here;
      }
      for (std::size_t v = w + 1; best && v < windows.size(); ++v) {
        const auto there = shown_around(windows[v], token);
        if (!there) break;
        best = *there <= here;
      }
      windows[w].max_context.push_back(best);
    }
}

// A stretch of the context's tokens; it ends before it begins where its words have no token.
struct TokenStretch {
  std::ptrdiff_t first, last;
};

// The tokens of the answer itself, where the words around it have others, too: the first stretch
// that equals the answer's.
TokenStretch narrowed_to(const std::vector<std::string>& answer,
                         const std::vector<std::string>& pieces, TokenStretch all) {
  const std::ptrdiff_t size = std::ssize(answer);
  for (std::ptrdiff_t first = all.first; size > 0 && first + size - 1 <= all.last; ++first)
    if (std::equal(answer.begin(), answer.end(), pieces.begin() + first))
      return {first, first + size - 1};
  return all;
}

std::vector<std::string> pieces_of(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> pieces;
  for (const std::int32_t id : tokenizer.tokenize(text).ids)
    pieces.push_back(tokenizer.token(id));
  return pieces;
}

}  // namespace

MrcDocument mrc_document(const Tokenizer& tokenizer, std::string_view question,
                         std::string_view context, const MrcOptions& options) {
  MrcDocument document;
  std::vector<std::int32_t> context_ids;
  for (const std::u32string& word : detail::squad_words(detail::code_points_of(context)).words) {
    document.first_piece.push_back(context_ids.size());
    for (const std::int32_t id : tokenizer.tokenize(detail::utf8_of(word)).ids) {
      document.pieces.push_back(tokenizer.token(id));
      document.word_of.push_back(document.words.size());
      context_ids.push_back(id);
    }
    document.words.push_back(detail::utf8_of(word));
  }
  if (context_ids.empty())
    throw UsageError("a context without a token has no window", {.field = "context"});

  std::vector<std::int32_t> query = tokenizer.tokenize(question).ids;
  query.resize(std::min(query.size(), options.max_query_length));
  const std::size_t taken = query.size() + 3;  // [CLS], [SEP], [SEP]
  const std::size_t room = options.max_seq_length - std::min(options.max_seq_length, taken);
  if (options.doc_stride == 0 || room < options.doc_stride)
    throw UsageError("no room for the context beside the question",
                     {.field = "max_seq_length",
                      .expected = std::to_string(taken + options.doc_stride) + " or more",
                      .actual = std::to_string(options.max_seq_length)});

  const SpecialIds& special = tokenizer.special_ids();
  for (std::size_t first = 0;; first += options.doc_stride) {
    MrcWindow& window = document.windows.emplace_back();
    window.first_token = first;
    window.tokens = std::min(room, context_ids.size() - first);
    window.context_at = query.size() + 2;
    window.ids = {special.cls};
    window.ids.insert(window.ids.end(), query.begin(), query.end());
    window.ids.push_back(special.sep);
    const auto begin = context_ids.begin() + static_cast<std::ptrdiff_t>(first);
    window.ids.insert(window.ids.end(), begin, begin + static_cast<std::ptrdiff_t>(window.tokens));
    window.ids.push_back(special.sep);
    window.readable = static_cast<std::size_t>(
        std::find(window.ids.begin(), window.ids.end(), special.pad) - window.ids.begin());
    if (first + window.tokens == context_ids.size()) break;
  }
  mark_max_context(document.windows);
  return document;
}

std::optional<std::vector<MrcTarget>> mrc_targets(const Tokenizer& tokenizer,
                                                  const MrcDocument& document,
                                                  std::string_view context,
                                                  std::optional<std::string_view> answer,
                                                  std::size_t answer_start) {
  std::vector<MrcTarget> targets(document.windows.size());
  if (!answer) return targets;
  const detail::SquadWords split = detail::squad_words(detail::code_points_of(context));
  const std::u32string text = detail::code_points_of(*answer);
  if (text.empty() || answer_start >= split.word_of_character.size())
    throw UsageError("not a place in the context",
                     {.field = "answer_start",
                      .expected = "below " + std::to_string(split.word_of_character.size()),
                      .actual = std::to_string(answer_start)});
  const std::size_t last_character =
      std::min(answer_start + text.size() - 1, split.word_of_character.size() - 1);
  if (split.word_of_character[answer_start] < 0) return std::nullopt;
  const auto first_word = static_cast<std::size_t>(split.word_of_character[answer_start]);
  const auto last_word = static_cast<std::size_t>(split.word_of_character[last_character]);

  std::u32string actual = split.words[first_word];
  for (std::size_t word = first_word + 1; word <= last_word; ++word)
    actual.append(U" ").append(split.words[word]);
  if (actual.find(detail::folded_spaces(text)) == actual.npos) return std::nullopt;

  const std::size_t behind = last_word + 1 < document.words.size()
                                 ? document.first_piece[last_word + 1]
                                 : document.pieces.size();
  const TokenStretch stretch =
      narrowed_to(pieces_of(tokenizer, *answer), document.pieces,
                  {static_cast<std::ptrdiff_t>(document.first_piece[first_word]),
                   static_cast<std::ptrdiff_t>(behind) - 1});
  for (std::size_t w = 0; w < targets.size(); ++w) {
    const MrcWindow& window = document.windows[w];
    const auto begin = static_cast<std::ptrdiff_t>(window.first_token);
    const auto offset = static_cast<std::ptrdiff_t>(window.context_at) - begin;
    if (stretch.first < begin || stretch.last >= begin + static_cast<std::ptrdiff_t>(window.tokens))
      continue;
    targets[w] = {.start = static_cast<std::size_t>(stretch.first + offset),
                  .end = static_cast<std::size_t>(stretch.last + offset),
                  .impossible = false};
  }
  return targets;
}

}  // namespace klue::baseline
