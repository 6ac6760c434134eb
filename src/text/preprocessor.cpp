#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/text/pack_inputs.hpp>
#include <klue/text/preprocessor.hpp>
#include <klue/text/tokenizer_config.hpp>

namespace klue {
namespace {

template <class Text>
std::vector<Tokens> tokenize_all(const Tokenizer& tokenizer, std::span<const Text> texts,
                                 std::size_t threads) {
  std::vector<Tokens> tokens(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    tokenizer.tokenize(texts[i], tokens[i]);
  (void)threads;
  return tokens;
}

}  // namespace

Preprocessor::Preprocessor(Tokenizer tokenizer, std::size_t type_vocab_size)
    : tokenizer_(std::move(tokenizer)), type_vocab_size_(type_vocab_size) {
  if (type_vocab_size == 0)
    throw UsageError("a model has at least one token type", {.field = "type_vocab_size"});
}

Preprocessor Preprocessor::load(const std::filesystem::path& directory,
                                const PreprocessorOptions& options) {
  return Preprocessor(Tokenizer(read_tokenizer_files(directory), options.dialect),
                      options.type_vocab_size);
}

std::vector<Tokens> Preprocessor::tokenize(std::span<const std::string> texts,
                                           std::size_t threads) const {
  return tokenize_all(tokenizer_, texts, threads);
}
std::vector<Tokens> Preprocessor::tokenize(std::span<const std::string_view> texts,
                                           std::size_t threads) const {
  return tokenize_all(tokenizer_, texts, threads);
}
std::vector<Tokens> Preprocessor::tokenize(std::initializer_list<std::string_view> texts,
                                           std::size_t threads) const {
  return tokenize(std::span<const std::string_view>(texts.begin(), texts.size()), threads);
}

EncoderInputs Preprocessor::bert_pack_inputs(std::span<const std::span<const Tokens>> segments,
                                             std::size_t seq_length, Truncation truncation) const {
  const SpecialIds& ids = tokenizer_.special_ids();
  return pack_inputs(segments,
                     {.seq_length = seq_length,
                      .truncation = truncation,
                      .cls = ids.cls,
                      .sep = ids.sep,
                      .pad = ids.pad,
                      .type_vocab_size = dialect() == Dialect::tensorflow ? 1 : type_vocab_size_});
}
EncoderInputs Preprocessor::bert_pack_inputs(
    std::initializer_list<std::span<const Tokens>> segments, std::size_t seq_length,
    Truncation truncation) const {
  return bert_pack_inputs(
      std::span<const std::span<const Tokens>>(segments.begin(), segments.size()), seq_length,
      truncation);
}

}  // namespace klue
