#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/detail/char_traits.hpp>
#include <klue/text/detail/word_splitter.hpp>

namespace klue::detail {
namespace {

/// TensorFlow Text's max_bytes_per_word, which the TF-Hub module leaves at its default.
constexpr std::size_t kTensorflowMaxBytes = 100;

/// The most memory set aside for tokens before any is found. Longer texts grow it as they go.
constexpr std::size_t kMaxReservedTokens = std::size_t{1} << 16;

/// Normalizing goes through the text in parts of about this many bytes.
constexpr std::size_t kNormalizedPart = std::size_t{1} << 16;

bool has(std::uint32_t traits, unsigned trait) {
  return (traits & trait) != 0;
}

/// Whether a character is a word of its own.
bool is_isolated(std::uint32_t traits, const TokenizerConfig& config, Dialect dialect) {
  if (dialect == Dialect::tensorflow) return has(traits, tf_isolate);
  return has(traits, hf_punctuation) || (has(traits, hf_cjk) && config.handle_chinese_chars);
}

/// Whether a word can contain the text: "[unused7]", with brackets inside, never is one.
bool can_be_in_a_word(std::string_view text, const TokenizerConfig& config, Dialect dialect) {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = decode_utf8(text.substr(at));
    if (is_isolated(char_traits(c.value), config, dialect)) return c.length == text.size();
    at += c.length;
  }
  return true;
}

}  // namespace

/// Where tokens go.
struct WordSplitter::Sink {
  struct Char {
    WordPiece::Symbol symbol;
    Offset offset;
  };

  Tokens& tokens;
  std::int32_t words = 0;
  // A word that is not a plain run of the text's bytes: its characters, of one that is too long to
  // be known only the first ones, and where it ends.
  std::vector<Char> gathered{};
  std::size_t gathered_end = 0;

  void put(std::int32_t id, Offset offset) {
    tokens.ids.push_back(id);
    tokens.offsets.push_back(offset);
    tokens.word_ids.push_back(words);
  }
  /// An added token; `text` is what it has matched.
  void put(const AddedToken& token, Offset offset, std::string_view text) {
    if (text != token.content) tokens.matched_texts.push_back({tokens.size(), std::string(text)});
    put(token.id, offset);
    end_word();
  }
  /// Takes back the tokens of a word that turns out to be unknown.
  void shrink(std::size_t size) {
    tokens.ids.resize(size);
    tokens.offsets.resize(size);
    tokens.word_ids.resize(size);
  }
  void end_word() {
    if (words == std::numeric_limits<std::int32_t>::max())
      throw UsageError("a text of more than 2^31-1 words", {.field = "text"});
    ++words;
  }
};

WordSplitter::WordSplitter(const Vocabulary& model, const TokenizerConfig& config, Dialect dialect,
                           std::int32_t unk)
    : dialect_(dialect),
      unk_(unk),
      max_length_(dialect == Dialect::tensorflow ? kTensorflowMaxBytes
                                                 : config.max_input_chars_per_word),
      pieces_(model, config.continuing_subword_prefix, max_length_,
              [&](std::string_view text) { return can_be_in_a_word(text, config, dialect); }) {
  const bool changes_characters = config.lowercase || config.strip_accents;
  if (dialect == Dialect::tensorflow) {
    if (changes_characters)
      throw UnsupportedError("lower-casing in the tensorflow dialect", {.field = "do_lower_case"});
  } else {
    if (changes_characters) normalizer_.emplace(config);
    read_added_tokens(config);
  }
  build_table(config);
}

void WordSplitter::read_added_tokens(const TokenizerConfig& config) {
  std::vector<AddedToken> raw, normalized;
  for (AddedToken& token : in_search_order(config.added_tokens))
    (token.normalized ? normalized : raw).push_back(std::move(token));

  std::vector<std::string> spellings;
  for (const AddedToken& token : raw)
    spellings.push_back(token.content);
  raw_tokens_ = AddedTokenMatcher(std::move(raw), spellings);

  if (normalized.empty()) return;
  if (!normalizer_) normalizer_.emplace(config);
  spellings.clear();
  for (const AddedToken& token : normalized)
    spellings.push_back(normalizer_->normalized(token.content));
  normalized_tokens_ = AddedTokenMatcher(std::move(normalized), spellings);
}

void WordSplitter::build_table(const TokenizerConfig& config) {
  for (const auto& [code_point, symbol] : pieces_.symbols())
    table_.set(code_point, (symbol << kClassBits) | word);

  const auto class_of = [&](std::uint32_t traits) {
    if (dialect_ == Dialect::tensorflow)
      return has(traits, tf_separator) ? space : has(traits, tf_isolate) ? isolate : word;
    if (!normalizer_) {  // it would have seen to these two
      if (config.clean_text && has(traits, hf_control)) return drop;
      if (config.handle_chinese_chars && has(traits, hf_cjk)) return isolate;
    }
    return has(traits, hf_split) ? space : has(traits, hf_punctuation) ? isolate : word;
  };
  for (const CharTraitsRange& range : char_traits_table()) {
    const Class c = class_of(range.traits);
    if (c == word) continue;
    for (char32_t value = range.first; value <= range.last; ++value)
      table_.set(value, (c == isolate ? piece_alone(value) << kClassBits : 0) | c);
  }
}

/// One more than the id of the piece that is this one character; 0 if there is none.
std::uint32_t WordSplitter::piece_alone(char32_t code_point) const {
  if (max_length_ == 0) return 0;
  WordPiece::State state = pieces_.start();
  std::uint32_t id = 0;
  const auto emit = [&id](const WordPiece::Piece& piece) {
    id = static_cast<std::uint32_t>(piece.id) + 1;
  };
  const bool known =
      pieces_.step(state, pieces_.symbol(code_point), emit) && pieces_.finish(state, emit);
  return known ? id : 0;
}

void WordSplitter::split(std::string_view text, Tokens& tokens) const {
  // Korean text has a token every four bytes or so.
  const std::size_t expected = std::min(text.size() / 3 + 8, kMaxReservedTokens);
  tokens.ids.reserve(expected);
  tokens.offsets.reserve(expected);
  tokens.word_ids.reserve(expected);

  Sink sink{.tokens = tokens};
  if (raw_tokens_.candidate(text, 0) == text.size()) return split_part(text, 0, text.size(), sink);
  AddedTokenMatcher::Parts parts(raw_tokens_, text);
  while (const auto part = parts.next()) {
    if (part->token != nullptr)
      sink.put(*part->token, {part->begin, part->end},
               text.substr(part->begin, part->end - part->begin));
    else
      split_part(text, part->begin, part->end, sink);
  }
}

void WordSplitter::split_part(std::string_view text, std::size_t begin, std::size_t end,
                              Sink& sink) const {
  if (!normalizer_) return split_in_place(text, begin, end, sink);
  if (!normalized_tokens_.empty()) return split_normalized_with_tokens(text, begin, end, sink);
  split_normalized(text, begin, end, sink);
}

void WordSplitter::put_isolated(std::uint32_t entry, Offset offset, Sink& sink) const {
  const std::uint32_t id = value_in(entry);
  sink.put(id == 0 ? unk_ : static_cast<std::int32_t>(id - 1), offset);
  sink.end_word();
}

// ---- Characters as they stand ----

void WordSplitter::split_in_place(std::string_view text, std::size_t begin, std::size_t end,
                                  Sink& sink) const {
  while (begin < end) {
    const auto c = decode_utf8(text.substr(begin, end - begin));
    const std::uint32_t entry = table_[c.value];
    switch (class_in(entry)) {
      case word:
        begin = split_word(text, begin, end, sink);
        break;
      case isolate:
        put_isolated(entry, {begin, begin + c.length}, sink);
        begin += c.length;
        break;
      case space:
      case drop:
        begin += c.length;
        break;
    }
  }
}

/// The word that begins at `begin`; returns where it ends.
std::size_t WordSplitter::split_word(std::string_view text, std::size_t begin, std::size_t end,
                                     Sink& sink) const {
  const std::size_t first_token = sink.tokens.size();
  std::size_t settled = begin;  // everything before it is in tokens
  const auto emit = [&](const WordPiece::Piece& piece) {
    sink.put(piece.id, {settled, settled + piece.bytes});
    settled += piece.bytes;
  };

  WordPiece::State state = pieces_.start();
  bool known = true;
  std::size_t at = begin, length = 0;
  while (at < end) {
    const auto c = decode_utf8(text.substr(at, end - at));
    const std::uint32_t entry = table_[c.value];
    if (class_in(entry) == drop || !c.valid) {
      // Pieces are no longer as long as the bytes that they stand for.
      sink.shrink(first_token);
      return split_word_with_gaps(text, begin, end, sink);
    }
    if (class_in(entry) != word) break;
    at += c.length;
    length += dialect_ == Dialect::tensorflow ? c.length : 1;
    known = known && length <= max_length_ && pieces_.step(state, value_in(entry), emit);
  }
  if (!known || !pieces_.finish(state, emit)) {
    sink.shrink(first_token);
    sink.put(unk_, {begin, at});
  }
  sink.end_word();
  return at;
}

/// The same for a word with dropped characters or invalid bytes in it: offsets go by character.
std::size_t WordSplitter::split_word_with_gaps(std::string_view text, std::size_t begin,
                                               std::size_t end, Sink& sink) const {
  constexpr std::size_t kReplacementBytes = 3;  // of U+FFFD
  std::size_t length = 0;
  while (begin < end) {
    const auto c = decode_utf8(text.substr(begin, end - begin));
    const std::uint32_t entry = table_[c.value];
    if (class_in(entry) == word) {
      length += dialect_ == Dialect::huggingface ? 1 : c.valid ? c.length : kReplacementBytes;
      sink.gathered_end = begin + c.length;
      if (length <= max_length_ || sink.gathered.empty())
        sink.gathered.push_back({value_in(entry), {begin, begin + c.length}});
    } else if (class_in(entry) != drop) {
      break;
    }
    begin += c.length;
  }
  put_gathered(sink, length <= max_length_);
  return begin;
}

/// The tokens of the word that has been gathered, whole or for a part.
void WordSplitter::put_gathered(Sink& sink, bool whole) const {
  const std::size_t first_token = sink.tokens.size();
  const auto& chars = sink.gathered;
  std::size_t settled = 0;
  const auto emit = [&](const WordPiece::Piece& piece) {
    const std::size_t next = settled + piece.characters;
    sink.put(piece.id, {chars[settled].offset.begin, chars[next - 1].offset.end});
    settled = next;
  };
  WordPiece::State state = pieces_.start();
  bool known = whole;
  for (auto c = chars.begin(); known && c != chars.end(); ++c)
    known = pieces_.step(state, c->symbol, emit);
  if (!known || !pieces_.finish(state, emit)) {
    sink.shrink(first_token);
    sink.put(unk_, {chars.front().offset.begin, sink.gathered_end});
  }
  sink.end_word();
  sink.gathered.clear();
}

// ---- Characters of the normalized text ----

void WordSplitter::split_normalized(std::string_view text, std::size_t begin, std::size_t end,
                                    Sink& sink) const {
  std::vector<NormalizedChar> chars;
  while (begin < end) {
    const std::size_t part_end =
        end - begin <= kNormalizedPart
            ? end
            : normalizer_->boundary(text.substr(0, end), begin + kNormalizedPart);
    chars.clear();
    (*normalizer_)(text.substr(begin, part_end - begin), begin, chars);
    split_normalized_words(chars, sink);
    begin = part_end;
  }
  end_gathered(sink);
}

/// An added token may have spaces in it and looks at what surrounds it, so the text is normalized
/// as a whole.
void WordSplitter::split_normalized_with_tokens(std::string_view text, std::size_t begin,
                                                std::size_t end, Sink& sink) const {
  std::vector<NormalizedChar> chars;
  while (begin < end) {
    const std::size_t part_end =
        end - begin <= kNormalizedPart
            ? end
            : normalizer_->boundary(text.substr(0, end), begin + kNormalizedPart);
    (*normalizer_)(text.substr(begin, part_end - begin), begin, chars);
    begin = part_end;
  }
  std::string normalized;
  for (const NormalizedChar& c : chars)
    append_utf8(normalized, c.value);
  if (normalized_tokens_.candidate(normalized, 0) == normalized.size()) {
    split_normalized_words(chars, sink);
    return end_gathered(sink);
  }

  std::vector<std::size_t> char_at;  // which character a byte of `normalized` belongs to
  char_at.reserve(normalized.size() + 1);
  for (std::size_t i = 0; i < chars.size(); ++i)
    char_at.resize(char_at.size() + utf8_length(chars[i].value), i);
  char_at.push_back(chars.size());
  AddedTokenMatcher::Parts parts(normalized_tokens_, normalized);
  while (const auto part = parts.next()) {
    const std::size_t first = char_at[part->begin], last = char_at[part->end];
    if (part->token != nullptr) {
      sink.put(*part->token, {chars[first].begin, chars[last - 1].end},
               std::string_view(normalized).substr(part->begin, part->end - part->begin));
    } else {
      split_normalized_words(std::span(chars).subspan(first, last - first), sink);
      end_gathered(sink);
    }
  }
}

/// Words go on in the next call, until end_gathered.
void WordSplitter::split_normalized_words(std::span<const NormalizedChar> chars, Sink& sink) const {
  for (const NormalizedChar& c : chars) {
    const std::uint32_t entry = table_[c.value];
    switch (class_in(entry)) {
      case word:
        if (sink.gathered.size() <= max_length_)
          sink.gathered.push_back({value_in(entry), {c.begin, c.end}});
        sink.gathered_end = c.end;
        break;
      case isolate:
        end_gathered(sink);
        put_isolated(entry, {c.begin, c.end}, sink);
        break;
      case space:
      case drop:
        end_gathered(sink);
        break;
    }
  }
}

void WordSplitter::end_gathered(Sink& sink) const {
  if (!sink.gathered.empty()) put_gathered(sink, sink.gathered.size() <= max_length_);
}

}  // namespace klue::detail
