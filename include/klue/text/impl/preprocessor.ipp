#include <algorithm>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/text/detail/pack_inputs.hpp>
#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/preprocessor.hpp>

namespace klue {
namespace {

/// Texts that one thread takes at a time: a sentence is done in a microsecond, waking a thread
/// takes longer.
constexpr std::size_t kTextsAtATime = 64;

template <class Text>
std::vector<Tokens> tokenize_all(const Tokenizer& tokenizer, std::span<const Text> texts,
                                 const ThreadPool* pool) {
  std::vector<Tokens> tokens(texts.size());
  const auto run = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      tokenizer.tokenize(texts[i], tokens[i]);
  };
  if (pool == nullptr) {
    run(0, texts.size());
  } else {
    const std::size_t parts = (texts.size() + kTextsAtATime - 1) / kTextsAtATime;
    pool->parallel_for(parts, [&](std::size_t part, std::size_t) {
      run(part * kTextsAtATime, std::min(texts.size(), (part + 1) * kTextsAtATime));
    });
  }
  return tokens;
}

}  // namespace

Preprocessor::Preprocessor(Tokenizer tokenizer, std::size_t type_vocab_size,
                           std::shared_ptr<const ThreadPool> pool)
    : tokenizer_(std::move(tokenizer)), type_vocab_size_(type_vocab_size), pool_(std::move(pool)) {
  if (type_vocab_size == 0)
    throw UsageError("a model has at least one token type", {.field = "type_vocab_size"});
}

Preprocessor Preprocessor::load(const std::filesystem::path& directory,
                                const PreprocessorOptions& options) {
  return Preprocessor(Tokenizer::load(directory, options.dialect), options.type_vocab_size,
                      options.pool);
}

std::vector<Tokens> Preprocessor::tokenize(std::span<const std::string> texts) const {
  return tokenize_all(tokenizer_, texts, pool_.get());
}
std::vector<Tokens> Preprocessor::tokenize(std::span<const std::string_view> texts) const {
  return tokenize_all(tokenizer_, texts, pool_.get());
}
std::vector<Tokens> Preprocessor::tokenize(std::initializer_list<std::string_view> texts) const {
  return tokenize(std::span<const std::string_view>(texts.begin(), texts.size()));
}

EncoderInputs Preprocessor::bert_pack_inputs(std::span<const std::span<const Tokens>> segments,
                                             std::size_t seq_length, Truncation truncation) const {
  const SpecialIds& ids = tokenizer_.special_ids();
  return detail::pack_inputs(
      segments, {.seq_length = seq_length,
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

Encoding Preprocessor::encode(std::string_view text, std::optional<std::string_view> pair,
                              const EncodeOptions& options) const {
  return tokenizer_.encode(text, pair, options);
}

}  // namespace klue
