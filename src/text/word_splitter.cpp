#include "text/word_splitter.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <klue/core/error.hpp>
#include <klue/text/char_traits.hpp>
#include <klue/text/utf8.hpp>

namespace klue {

/// Where tokens go, and how many words there were.
struct WordSplitter::Sink {
  Tokens& tokens;
  std::int32_t words = 0;

  void put(std::int32_t id, Offset offset) {
    tokens.ids.push_back(id);
    tokens.offsets.push_back(offset);
    tokens.word_ids.push_back(words);
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

/// A character of a word that is not a plain run of the text's bytes.
struct WordSplitter::Char {
  WordPiece::Symbol symbol;
  Offset offset;
};

namespace {

bool has(std::uint32_t traits, unsigned trait) {
  return (traits & trait) != 0;
}

/// Whether the traits make a character a word of its own in this configuration.
bool isolated(std::uint32_t traits, const TokenizerConfig& config, Dialect dialect) {
  if (dialect == Dialect::tensorflow) return has(traits, tf_isolate);
  return has(traits, hf_punctuation) || (has(traits, hf_cjk) && config.handle_chinese_chars);
}

bool changes_characters(const TokenizerConfig& config) {
  return config.lowercase || config.strip_accents;
}

}  // namespace

WordSplitter::WordSplitter(const Vocabulary& model, const TokenizerConfig& config, Dialect dialect,
                           std::int32_t unk)
    : dialect_(dialect),
      unk_(unk),
      max_word_length_(config.max_input_chars_per_word),
      pieces_(model, config.continuing_subword_prefix, config.max_input_chars_per_word,
              [&](std::string_view piece) {
                // Only a piece of word characters, or of one isolated character, can be part of a
                // word. "[CLS]" and "[unused7]" cannot.
                if (piece.starts_with(config.continuing_subword_prefix))
                  piece.remove_prefix(config.continuing_subword_prefix.size());
                bool first = true;
                while (!piece.empty()) {
                  const auto c = decode_utf8(piece);
                  piece.remove_prefix(c.length);
                  if (isolated(char_traits(c.value), config, dialect))
                    return first && piece.empty();
                  first = false;
                }
                return true;
              }) {
  if (dialect == Dialect::tensorflow) {
    build_table(config, false);
    return;  // it has no added tokens: "[MASK]" is a bracket, letters and a bracket
  }

  std::vector<AddedToken> raw, normalized;
  for (const AddedToken& token : config.added_tokens)
    (token.normalized ? normalized : raw).push_back(token);
  std::vector<std::string> spellings;
  for (const AddedToken& token : raw)
    spellings.push_back(token.content);
  raw_tokens_ = AddedTokenMatcher(raw, spellings);

  if (!normalized.empty() || changes_characters(config)) normalizer_.emplace(config);
  if (!normalized.empty()) {
    spellings.clear();
    for (const AddedToken& token : normalized)
      spellings.push_back(normalizer_->normalized(token.content));
    normalized_tokens_ = AddedTokenMatcher(normalized, spellings);
  }
  build_table(config, normalizer_.has_value());
}

void WordSplitter::build_table(const TokenizerConfig& config, bool after_normalizer) {
  for (const auto& [code_point, symbol] : pieces_.symbols())
    table_.set(code_point, (symbol << class_bits) | word);

  const auto class_of = [&](std::uint32_t traits) {
    if (dialect_ == Dialect::tensorflow)
      return has(traits, tf_separator) ? space : has(traits, tf_isolate) ? isolate : word;
    if (!after_normalizer) {
      if (config.clean_text && has(traits, hf_control)) return drop;
      if (config.handle_chinese_chars && has(traits, hf_cjk)) return isolate;
    }
    return has(traits, hf_split) ? space : has(traits, hf_punctuation) ? isolate : word;
  };
  const auto alone = [&](char32_t c) -> std::uint32_t {
    if (max_word_length_ == 0) return 0;
    WordPiece::State state = pieces_.start();
    std::int32_t id = -1;
    const auto emit = [&id](const WordPiece::Piece& piece) { id = piece.id; };
    const bool known = pieces_.step(state, pieces_.symbol(c), emit) && pieces_.finish(state, emit);
    return known ? static_cast<std::uint32_t>(id) + 1 : 0;
  };
  for (const CharTraitsRange& range : char_traits_table()) {
    const Class c = class_of(range.traits);
    if (c == word) continue;
    for (char32_t value = range.first; value <= range.last; ++value)
      table_.set(value, (c == isolate ? alone(value) << class_bits : 0) | c);
  }
}

void WordSplitter::split(std::string_view text, Tokens& tokens) const {
  // Korean text has a token every four bytes or so.
  const std::size_t expected = text.size() / 3 + 8;
  tokens.ids.reserve(expected);
  tokens.offsets.reserve(expected);
  tokens.word_ids.reserve(expected);

  Sink sink{.tokens = tokens};
  if (raw_tokens_.candidate(text, 0) == text.size()) return split_part(text, 0, text.size(), sink);
  for (const auto& part : raw_tokens_.split(text)) {
    if (part.id) {
      sink.put(*part.id, {part.begin, part.end});
      sink.end_word();
    } else {
      split_part(text, part.begin, part.end, sink);
    }
  }
}

void WordSplitter::split_part(std::string_view text, std::size_t begin, std::size_t end,
                              Sink& sink) const {
  if (normalizer_)
    split_normalized(text, begin, end, sink);
  else
    split_in_place(text, begin, end, sink);
}

void WordSplitter::split_in_place(std::string_view text, std::size_t begin, std::size_t end,
                                  Sink& sink) const {
  while (begin < end) {
    const auto c = decode_utf8(text.substr(begin, end - begin));
    const std::uint32_t entry = table_[c.value];
    switch (static_cast<Class>(entry & ((1u << class_bits) - 1))) {
      case word:
        begin = split_word_in_place(text, begin, end, sink);
        break;
      case isolate:
        emit_isolated(entry, {begin, begin + c.length}, sink);
        begin += c.length;
        break;
      case space:
      case drop:
        begin += c.length;
        break;
    }
  }
}

void WordSplitter::emit_isolated(std::uint32_t entry, Offset offset, Sink& sink) const {
  const std::uint32_t id = entry >> class_bits;
  sink.put(id == 0 ? unk_ : static_cast<std::int32_t>(id - 1), offset);
  sink.end_word();
}

/// The word that begins at `begin`, whose characters are the text's bytes as they stand. Returns
/// where it ends.
std::size_t WordSplitter::split_word_in_place(std::string_view text, std::size_t begin,
                                              std::size_t end, Sink& sink) const {
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
    const std::uint32_t char_class = entry & ((1u << class_bits) - 1);
    if (!c.valid || char_class == drop) {
      // Bytes are missing from the word, or read as others: offsets go by character.
      sink.shrink(first_token);
      return split_word_by_character(text, begin, end, sink);
    }
    if (char_class != word) break;
    at += c.length;
    length += dialect_ == Dialect::tensorflow ? c.length : 1;
    known = known && length <= max_word_length_ && pieces_.step(state, entry >> class_bits, emit);
  }
  if (!known || !pieces_.finish(state, emit)) {
    sink.shrink(first_token);
    sink.put(unk_, {begin, at});
  }
  sink.end_word();
  return at;
}

/// The same for a word with dropped or invalid characters in it.
std::size_t WordSplitter::split_word_by_character(std::string_view text, std::size_t begin,
                                                  std::size_t end, Sink& sink) const {
  std::vector<Char> chars;
  Offset whole{begin, begin};
  std::size_t length = 0;
  while (begin < end) {
    const auto c = decode_utf8(text.substr(begin, end - begin));
    const std::uint32_t entry = table_[c.value];
    const std::uint32_t char_class = entry & ((1u << class_bits) - 1);
    if (char_class == word) {
      length += dialect_ == Dialect::huggingface ? 1 : c.valid ? c.length : 3;
      whole.end = begin + c.length;
      if (length <= max_word_length_)
        chars.push_back({entry >> class_bits, {begin, begin + c.length}});
    } else if (char_class != drop) {
      break;
    }
    begin += c.length;
  }
  if (length > max_word_length_) {
    sink.put(unk_, whole);
    sink.end_word();
  } else {
    emit_word(chars, false, sink);
  }
  return begin;
}

void WordSplitter::emit_word(const std::vector<Char>& chars, bool too_long, Sink& sink) const {
  const std::size_t first_token = sink.tokens.size();
  std::size_t settled = 0;
  const auto emit = [&](const WordPiece::Piece& piece) {
    const std::size_t next = settled + piece.characters;
    sink.put(piece.id, {chars[settled].offset.begin, chars[next - 1].offset.end});
    settled = next;
  };
  WordPiece::State state = pieces_.start();
  bool known = !too_long;
  for (auto c = chars.begin(); known && c != chars.end(); ++c)
    known = pieces_.step(state, c->symbol, emit);
  if (!known || !pieces_.finish(state, emit)) {
    sink.shrink(first_token);
    sink.put(unk_, {chars.front().offset.begin, chars.back().offset.end});
  }
  sink.end_word();
}

void WordSplitter::split_normalized(std::string_view text, std::size_t begin, std::size_t end,
                                    Sink& sink) const {
  std::vector<NormalizedChar> chars;
  (*normalizer_)(text.substr(begin, end - begin), begin, chars);
  if (normalized_tokens_.empty()) return split_normalized_words(chars, 0, chars.size(), sink);

  std::string normalized;
  std::vector<std::size_t> char_at;  // which character a byte of `normalized` begins
  for (std::size_t i = 0; i < chars.size(); ++i) {
    append_utf8(normalized, chars[i].value);
    char_at.resize(normalized.size(), i);
  }
  char_at.push_back(chars.size());
  for (const auto& part : normalized_tokens_.split(normalized)) {
    const std::size_t first = char_at[part.begin], last = char_at[part.end];
    if (part.id) {
      sink.put(*part.id, {chars[first].begin, chars[last - 1].end});
      sink.end_word();
    } else {
      split_normalized_words(chars, first, last, sink);
    }
  }
}

void WordSplitter::split_normalized_words(const std::vector<NormalizedChar>& chars,
                                          std::size_t begin, std::size_t end, Sink& sink) const {
  std::vector<Char> word_chars;
  const auto flush = [&] {
    if (word_chars.empty()) return;
    emit_word(word_chars, word_chars.size() > max_word_length_, sink);
    word_chars.clear();
  };
  for (; begin < end; ++begin) {
    const NormalizedChar& c = chars[begin];
    const std::uint32_t entry = table_[c.value];
    switch (static_cast<Class>(entry & ((1u << class_bits) - 1))) {
      case word:
        word_chars.push_back({entry >> class_bits, {c.begin, c.end}});
        break;
      case isolate:
        flush();
        emit_isolated(entry, {c.begin, c.end}, sink);
        break;
      case space:
      case drop:
        flush();
        break;
    }
  }
  flush();
}

}  // namespace klue
