#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/utf8.hpp>
#include <klue/text/detail/char_traits.hpp>
#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/encoding.hpp>

namespace klue::test {

/// The oracle: the two dialects as their definitions read, one step after the other, nothing
/// clever. It knows cased configurations and added tokens without flags.
class SlowTokenizer {
 public:
  SlowTokenizer(const Vocabulary& vocabulary, detail::TokenizerConfig config, Dialect dialect)
      : config_(std::move(config)), dialect_(dialect) {
    for (std::size_t id = 0; id < vocabulary.size(); ++id)
      ids_[vocabulary.pieces()[id]] = static_cast<std::int32_t>(id);
  }

  Tokens tokenize(std::string_view text) const {
    Tokens tokens;
    std::int32_t words = 0;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const detail::AddedToken* token = added_token_at(text.substr(at));
      if (token == nullptr) {
        ++at;
        continue;
      }
      tokenize_part(text, begin, at, tokens, words);
      put(tokens, token->id, {at, at + token->content.size()}, words++);
      begin = at += token->content.size();
    }
    tokenize_part(text, begin, text.size(), tokens, words);
    return tokens;
  }

 private:
  struct Char {
    char32_t value;
    Offset offset;
  };
  using Word = std::vector<Char>;

  static void put(Tokens& tokens, std::int32_t id, Offset offset, std::int32_t word) {
    tokens.ids.push_back(id);
    tokens.offsets.push_back(offset);
    tokens.word_ids.push_back(word);
  }

  const detail::AddedToken* added_token_at(std::string_view text) const {
    const detail::AddedToken* longest = nullptr;
    if (dialect_ == Dialect::tensorflow) return longest;
    for (const detail::AddedToken& token : config_.added_tokens)
      if (text.starts_with(token.content) &&
          (longest == nullptr || token.content.size() > longest->content.size()))
        longest = &token;
    return longest;
  }

  void tokenize_part(std::string_view text, std::size_t begin, std::size_t end, Tokens& tokens,
                     std::int32_t& words) const {
    Word chars;
    while (begin < end) {
      const auto c = decode_utf8(text.substr(begin, end - begin));
      chars.push_back({c.value, {begin, begin + c.length}});
      begin += c.length;
    }
    for (const Word& word :
         dialect_ == Dialect::huggingface
             ? split(isolate_cjk(clean(chars)), klue::detail::hf_split,
                     klue::detail::hf_punctuation)
             : split(chars, klue::detail::tf_separator, klue::detail::tf_isolate))
      put_word(word, tokens, words++);
  }

  Word clean(const Word& chars) const {
    Word result;
    for (Char c : chars) {
      if (config_.clean_text &&
          (klue::detail::char_traits(c.value) & klue::detail::hf_control) != 0)
        continue;
      if (config_.clean_text && (klue::detail::char_traits(c.value) & klue::detail::hf_blank) != 0)
        c.value = U' ';
      result.push_back(c);
    }
    return result;
  }

  Word isolate_cjk(const Word& chars) const {
    Word result;
    for (const Char& c : chars) {
      const bool isolate = config_.handle_chinese_chars &&
                           (klue::detail::char_traits(c.value) & klue::detail::hf_cjk) != 0;
      if (isolate) result.push_back({U' ', c.offset});
      result.push_back(c);
      if (isolate) result.push_back({U' ', c.offset});
    }
    return result;
  }

  static std::vector<Word> split(const Word& chars, unsigned separator, unsigned alone) {
    std::vector<Word> words(1);
    for (const Char& c : chars) {
      if ((klue::detail::char_traits(c.value) & separator) != 0) {
        words.emplace_back();
      } else if ((klue::detail::char_traits(c.value) & alone) != 0) {
        words.push_back({c});
        words.emplace_back();
      } else {
        words.back().push_back(c);
      }
    }
    std::erase_if(words, [](const Word& word) { return word.empty(); });
    return words;
  }

  static std::string text_of(const Word& word, std::size_t begin, std::size_t end) {
    std::string text;
    for (std::size_t i = begin; i < end; ++i)
      append_utf8(text, word[i].value);
    return text;
  }

  void put_word(const Word& word, Tokens& tokens, std::int32_t number) const {
    Tokens of_word;
    bool known = dialect_ == Dialect::huggingface ? word.size() <= config_.max_input_chars_per_word
                                                  : text_of(word, 0, word.size()).size() <= 100;
    for (std::size_t begin = 0; known && begin < word.size();) {
      known = false;
      for (std::size_t end = word.size(); !known && end > begin; --end) {
        const auto prefix = begin == 0 ? std::string() : config_.continuing_subword_prefix;
        const auto piece = ids_.find(prefix + text_of(word, begin, end));
        if (piece == ids_.end()) continue;
        put(of_word, piece->second, {word[begin].offset.begin, word[end - 1].offset.end}, number);
        begin = end;
        known = true;
      }
    }
    if (!known) {
      of_word = {};
      put(of_word, ids_.at(config_.unk_token), {word.front().offset.begin, word.back().offset.end},
          number);
    }
    for (std::size_t i = 0; i < of_word.size(); ++i)
      put(tokens, of_word.ids[i], of_word.offsets[i], number);
  }

  detail::TokenizerConfig config_;
  Dialect dialect_;
  std::map<std::string, std::int32_t> ids_;
};

}  // namespace klue::test
