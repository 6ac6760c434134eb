// The tokenizer by itself, on generated Korean-like text and on the texts that are hardest for it.
// Every case reports bytes per second; the hard ones must not fall far behind ordinary text.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <klue/core/thread_pool.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/preprocessor.hpp>

namespace {

using namespace klue;

/// All syllables 가…힣 as beginnings and continuations of words, pairs of the first 150, and long
/// chains of "a" for the automaton's failure links.
std::vector<std::string> pieces() {
  std::vector<std::string> result = {"[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", ".", ","};
  const auto syllable = [](std::size_t i) {
    std::string text;
    append_utf8(text, static_cast<char32_t>(0xAC00 + i));
    return text;
  };
  for (std::size_t i = 0; i < 11172; ++i) {
    result.push_back(syllable(i));
    result.push_back("##" + syllable(i));
  }
  for (std::size_t i = 0; i < 150; ++i)
    for (std::size_t j = 0; j < 50; ++j)
      result.push_back(syllable(i * 28) + syllable(j * 28));
  for (const std::size_t length : {1u, 2u, 3u, 5u, 8u, 13u, 21u, 34u, 55u, 89u}) {
    result.push_back(std::string(length, 'a'));
    result.push_back("##" + std::string(length, 'a') + "b");
  }
  result.push_back("##a");
  return result;
}

Tokenizer make_tokenizer(Dialect dialect, std::size_t max_word = 100, bool uncased = false) {
  using Kind = detail::TemplatePiece::Kind;
  detail::TokenizerConfig config;
  config.max_input_chars_per_word = max_word;
  config.lowercase = config.strip_accents = uncased;
  for (std::int32_t id = 0; id < 5; ++id)
    config.added_tokens.push_back({.content = pieces()[static_cast<std::size_t>(id)],
                                   .id = id,
                                   .normalized = false,
                                   .special = true});
  config.single = {{Kind::special, {0}, 0}, {Kind::first_text, {}, 0}, {Kind::special, {2}, 0}};
  config.pair = config.single;
  return Tokenizer(
      {.vocabulary = Vocabulary(pieces()), .config = std::move(config), .source = "benchmark"},
      dialect);
}

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string result;
  while (result.size() < bytes)
    result += text;
  return result;
}

/// Words of one to five syllables, as plain as Korean text is.
std::string ordinary_text(std::size_t bytes) {
  std::string text;
  std::size_t state = 1;
  while (text.size() < bytes) {
    for (std::size_t n = 1 + state % 5; n > 0; --n) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      append_utf8(text, static_cast<char32_t>(0xAC00 + (state >> 33) % 400 * 28));
    }
    text += state % 64 < 8 ? ". " : " ";
  }
  return text;
}

void run(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  Tokens tokens;
  for (auto _ : state) {
    tokenizer.tokenize(text, tokens);
    benchmark::DoNotOptimize(tokens.ids.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
  state.counters["tokens"] = static_cast<double>(tokens.size());
}

constexpr std::size_t megabyte = 1'000'000;

void ordinary(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface), ordinary_text(megabyte));
}
BENCHMARK(ordinary);

void ordinary_tensorflow(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::tensorflow), ordinary_text(megabyte));
}
BENCHMARK(ordinary_tensorflow);

void ordinary_uncased(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface, 100, true), ordinary_text(megabyte));
}
BENCHMARK(ordinary_uncased);

void one_word_of_a_megabyte(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface), repeated("한국어문장", megabyte));
}
BENCHMARK(one_word_of_a_megabyte);

void one_word_of_a_megabyte_without_limit(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface, std::size_t{1} << 40),
      repeated("한국어문장", megabyte));
}
BENCHMARK(one_word_of_a_megabyte_without_limit);

// A word in which the trie leads on for dozens of characters before the automaton has to fall back.
void chains_without_limit(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface, std::size_t{1} << 40),
      repeated(std::string(88, 'a') + "b", megabyte));
}
BENCHMARK(chains_without_limit);

void chains_of_words(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface), repeated(std::string(99, 'a') + " ", megabyte));
}
BENCHMARK(chains_of_words);

void dropped_characters_in_every_word(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface), repeated("한국\u200b어 ", megabyte));
}
BENCHMARK(dropped_characters_in_every_word);

void invalid_bytes(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface), repeated("한\xFF\xEA\xB0", megabyte));
}
BENCHMARK(invalid_bytes);

void added_tokens(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface), repeated("[MASK][MAS", megabyte));
}
BENCHMARK(added_tokens);

void punctuation(benchmark::State& state) {
  run(state, make_tokenizer(Dialect::huggingface), repeated(".,", megabyte));
}
BENCHMARK(punctuation);

void batch(benchmark::State& state) {
  const Preprocessor preprocessor(
      make_tokenizer(Dialect::huggingface), 1,
      std::make_shared<const ThreadPool>(static_cast<std::size_t>(state.range(0))));
  const std::vector<std::string> texts(10'000, ordinary_text(80));
  for (auto _ : state)
    benchmark::DoNotOptimize(preprocessor.tokenize(texts));
  state.SetBytesProcessed(static_cast<std::int64_t>(texts.size() * texts[0].size()) *
                          state.iterations());
}
BENCHMARK(batch)->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
