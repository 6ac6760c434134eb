// Any bytes as a vocab.txt or a tokenizer.json (the first byte says which): what loads must work,
// what does not must say so with the library's own errors.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/tokenizer.hpp>

namespace {

using namespace klue;
using namespace klue::detail;

TokenizerFiles with_default_template(Vocabulary vocabulary) {
  using Kind = TemplatePiece::Kind;
  TokenizerConfig config;
  config.single = {{Kind::first_text, {}, 0}};
  config.pair = {{Kind::first_text, {}, 0}, {Kind::second_text, {}, 1}};
  return {.vocabulary = std::move(vocabulary), .config = std::move(config), .source = "fuzz"};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const auto dialect : {Dialect::huggingface, Dialect::tensorflow}) {
    try {
      const Tokenizer tokenizer(data[0] == 'v' ? with_default_template(Vocabulary::parse(text))
                                               : parse_tokenizer_json(text),
                                dialect);
      const Encoding encoding = tokenizer.encode("가나다 abc [MASK] 大é!", text.substr(0, 200));
      tokenizer.decode(encoding.ids);
    } catch (const Error&) {
    }
  }
  return 0;
}
