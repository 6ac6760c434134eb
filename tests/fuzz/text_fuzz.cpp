// Any bytes as a text: the tokenizer must agree with the slow one in both dialects, keep its
// offsets in order, and survive in the configurations that the slow one does not know.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <klue/text/tokenizer.hpp>

#include "text/slow_tokenizer.hpp"
#include "text/small_tokenizer.hpp"

namespace {

using namespace klue;
using namespace klue::test;

void require(bool condition) {
  if (!condition) std::abort();
}

const std::vector<std::string> pieces = {
    "a",    "##a", "aa",       "##aaa",  "aaaab", "##b",      "가",     "##가",    "가나",
    "##나", "나",  "가나다라", "##나다", "大",    "韓",       "!",      ".",       "[",
    "]",    "#",   "##é",      "é",      "😀",     "##\u0301", "\u1100", "##\u1161"};

struct Pair {
  explicit Pair(Dialect dialect)
      : fast(small_tokenizer(pieces, dialect)),
        slow(small_files(pieces).vocabulary, fast.config(), dialect) {}
  Tokenizer fast;
  SlowTokenizer slow;
};

Tokenizer uncased_with_added_tokens() {
  TokenizerConfig config;
  config.lowercase = config.strip_accents = true;
  const auto next = static_cast<std::int32_t>(special_pieces.size() + pieces.size());
  config.added_tokens = {
      {.content = "<A>", .id = next, .single_word = true},
      {.content = "b ", .id = next + 1, .lstrip = true, .rstrip = true, .normalized = false},
      {.content = "É", .id = next + 2, .rstrip = true},
      {.content = " ", .id = next + 3, .lstrip = true},
      {.content = "\t", .id = next + 4},
      {.content = std::string(40, 'a').append("b"), .id = next + 5, .normalized = false},
      {.content = "è", .id = next + 6, .special = true}};
  return small_tokenizer(pieces, Dialect::huggingface, config);
}

void check_offsets(const Tokens& tokens, std::string_view text) {
  require(tokens.offsets.size() == tokens.size() && tokens.word_ids.size() == tokens.size());
  std::size_t begin = 0;
  for (const Offset& offset : tokens.offsets) {
    require(begin <= offset.begin && offset.begin < offset.end && offset.end <= text.size());
    begin = offset.begin;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Pair dialects[] = {Pair(Dialect::huggingface), Pair(Dialect::tensorflow)};
  static const Tokenizer uncased = uncased_with_added_tokens();
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  for (const Pair& pair : dialects) {
    const Tokens tokens = pair.fast.tokenize(text);
    require(tokens == pair.slow.tokenize(text));
    check_offsets(tokens, text);
    to_code_points(text, tokens.offsets);
    pair.fast.decode(tokens.ids, {.skip_special_tokens = false});
  }
  const Tokens tokens = uncased.tokenize(text);
  check_offsets(tokens, text);
  require(uncased.texts(tokens).size() == tokens.size());

  // The two halves as a pair, cut to a length that the data choose.
  const std::size_t length = 3 + (size == 0 ? 0 : data[0] % 16u);
  const Encoding encoding =
      uncased.encode(text.substr(0, size / 2), text.substr(size / 2), {.max_length = length});
  require(encoding.size() <= length);
  return 0;
}
