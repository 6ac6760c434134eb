#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/token_batch.hpp>
#include <klue/model.hpp>

#include "model/sentence_transformers.hpp"

namespace klue {
namespace {

// The TF-Hub module's default seq_length.
constexpr std::size_t kTensorflowLength = 128;

// A text as the encoder takes it, special tokens included.
struct TokenSequence {
  std::vector<std::int32_t> ids, type_ids;
};

// Trained models often round their table up so that it multiplies well. Further apart than this,
// vocabulary and weights belong to different models.
constexpr std::size_t kMostSpareRows = 127;

void check_vocabulary(const Preprocessor& preprocessor, const EncoderConfig& config,
                      const std::filesystem::path& directory) {
  const std::size_t pieces = preprocessor.tokenizer().vocabulary().size();
  if (pieces > config.vocab_size || pieces + kMostSpareRows < config.vocab_size)
    throw FormatError("the vocabulary is not the one of these weights",
                      {.file = directory.string(),
                       .field = "vocab_size",
                       .expected = std::to_string(config.vocab_size) + " pieces",
                       .actual = std::to_string(pieces)});
  const auto pad = static_cast<std::size_t>(preprocessor.tokenizer().special_ids().pad);
  if (pad != config.pad_token_id)
    throw FormatError("config.json and the tokenizer disagree about the padding token",
                      {.file = directory.string(),
                       .field = "pad_token_id",
                       .expected = std::to_string(pad),
                       .actual = std::to_string(config.pad_token_id)});
}

}  // namespace

struct Model::Impl {
  ModelInfo info;
  std::shared_ptr<const ThreadPool> pool;
  Preprocessor preprocessor;
  Encoder encoder;
  std::size_t longest;  // tokens that fit into the position table and the tokenizer's limit

  bool tensorflow() const { return preprocessor.dialect() == Dialect::tensorflow; }

  std::size_t length_limit(const char* field, std::optional<std::size_t> asked,
                           std::size_t otherwise) const {
    if (!asked) return std::min(otherwise, longest);
    if (*asked > encoder.config().max_sequence_length())
      throw UsageError(
          "longer than the model's position table",
          {.field = field,
           .expected = "at most " + std::to_string(encoder.config().max_sequence_length()),
           .actual = std::to_string(*asked)});
    return *asked;
  }

  EncodeOptions cutting(std::size_t max_length, std::optional<Truncation> truncation) const {
    return {.max_length = max_length,
            .truncation = truncation.value_or(tensorflow() ? Truncation::round_robin
                                                           : Truncation::longest_first)};
  }

  std::vector<TokenSequence> tokenize(const Texts& texts, const EncodeOptions& options) const {
    // Type ids are the tokenizer's where the encoder has a table for them; RoBERTa and the TF-Hub
    // module know only one type.
    const bool typed = encoder.config().type_vocab_size > 1 && !tensorflow();
    std::vector<TokenSequence> sequences(texts.size());
    pool->parallel_for(texts.size(), [&](std::size_t i, std::size_t) {
      Encoding encoding = preprocessor.encode(texts[i].text, texts[i].text_pair, options);
      if (!typed) encoding.type_ids.assign(encoding.ids.size(), 0);
      sequences[i] = {std::move(encoding.ids), std::move(encoding.type_ids)};
    });
    return sequences;
  }
};

Model::Model(std::unique_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const Preprocessor& Model::preprocessor() const noexcept {
  return impl_->preprocessor;
}
const Encoder& Model::encoder() const noexcept {
  return impl_->encoder;
}
const ModelInfo& Model::info() const noexcept {
  return impl_->info;
}

Model Model::load(const std::filesystem::path& directory, const LoadOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored))
    throw IoError("no such model directory", {.file = directory.string()});

  const EncoderConfig config = read_encoder_config(directory / "config.json");
  const std::optional<SentenceTransformer> sentences = read_sentence_transformer(directory);
  Preprocessor preprocessor =
      Preprocessor::load(directory, {.dialect = options.dialect.value_or(Dialect::huggingface),
                                     .type_vocab_size = config.type_vocab_size});
  check_vocabulary(preprocessor, config, directory);

  auto pool = std::make_shared<const ThreadPool>(options.threads);
  Checkpoint checkpoint = open_checkpoint(directory);
  const std::size_t longest = std::min(
      config.max_sequence_length(),
      preprocessor.tokenizer().config().model_max_length.value_or(config.max_sequence_length()));
  ModelInfo info{
      .directory = directory,
      .weights_file = checkpoint.file(),
      .weights_format = checkpoint.format(),
      .engine = describe_engine(options.engine, options.precision),
      .threads = pool->threads(),
      .pooling = sentences ? sentences->pooling : Pooling::mean,
      .normalize = sentences && sentences->normalize,
      .max_length = longest,
  };
  if (preprocessor.dialect() == Dialect::tensorflow)
    info.max_length = std::min(longest, kTensorflowLength);
  else if (sentences && sentences->max_seq_length)
    info.max_length = std::min(longest, *sentences->max_seq_length);
  return Model(std::unique_ptr<const Impl>(new Impl{std::move(info), pool, std::move(preprocessor),
                                                    Encoder(config, std::move(checkpoint), pool,
                                                            {.engine = options.engine,
                                                             .precision = options.precision,
                                                             .batch_tokens = options.batch_tokens}),
                                                    longest}));
}

EncoderOutputs Model::encode(const Texts& texts, const OutputOptions& outputs,
                             const TextOptions& options) const {
  const Impl& m = *impl_;
  const std::size_t otherwise =
      m.tensorflow() ? kTensorflowLength : m.encoder.config().max_sequence_length();
  // Rows of seq_length hold no more than that many tokens.
  std::size_t max_length = m.length_limit("max_length", options.max_length, otherwise);
  if (options.seq_length)
    max_length = std::min(max_length, m.length_limit("seq_length", options.seq_length, otherwise));
  const std::vector<TokenSequence> sequences =
      m.tokenize(texts, m.cutting(max_length, options.truncation));

  EncoderInputs inputs{.batch = sequences.size()};
  for (const TokenSequence& s : sequences)
    inputs.seq_length = std::max(inputs.seq_length, s.ids.size());
  if (m.tensorflow()) inputs.seq_length = max_length;
  if (options.seq_length) inputs.seq_length = *options.seq_length;
  const auto pad = static_cast<std::int32_t>(m.encoder.config().pad_token_id);
  const std::size_t size = inputs.batch * inputs.seq_length;
  inputs.input_word_ids.assign(size, pad);
  inputs.input_mask.assign(size, 0);
  inputs.input_type_ids.assign(size, 0);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto first = static_cast<std::ptrdiff_t>(i * inputs.seq_length);
    std::ranges::copy(sequences[i].ids, inputs.input_word_ids.begin() + first);
    std::ranges::copy(sequences[i].type_ids, inputs.input_type_ids.begin() + first);
    std::fill_n(inputs.input_mask.begin() + first, sequences[i].ids.size(), 1);
  }
  return m.encoder(inputs, outputs);
}

Tensor Model::embed(const Texts& texts, const EmbedOptions& options) const {
  const Impl& m = *impl_;
  const Pooling pooling = options.pooling == Pooling::automatic ? m.info.pooling : options.pooling;
  if (pooling == Pooling::pooler) m.encoder.require_pooler();
  const bool normalized = options.normalize.value_or(m.info.normalize);
  const std::vector<TokenSequence> sequences = m.tokenize(
      texts, m.cutting(m.length_limit("max_length", options.max_length, m.info.max_length),
                       options.truncation));

  // Longest first: sentences of a batch take about equally long, and what memory is needed is
  // needed at once.
  std::vector<std::size_t> order(sequences.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t i) { return sequences[i].ids.size(); });

  Tensor vectors{sequences.size(), m.encoder.config().hidden_size};
  TokenBatchBuilder builder(m.encoder.config());
  for (std::size_t next = 0; next < order.size();) {
    const std::size_t first = next;
    builder.clear();
    do {
      const TokenSequence& s = sequences[order[next++]];
      builder.append(s.ids, s.type_ids);
    } while (next < order.size() && builder.batch().tokens() + sequences[order[next]].ids.size() <=
                                        m.encoder.batch_tokens());
    m.encoder.pool(builder.batch(), pooling, [&](std::size_t s, std::span<float> vector) {
      if (normalized) normalize(vector);
      std::ranges::copy(vector, vectors.at(order[first + s]).begin());
    });
  }
  return vectors;
}

}  // namespace klue
