#include <algorithm>
#include <utility>
#include <vector>

#include <klue/core/detail/budget.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/detail/sorted_order.hpp>
#include <klue/core/error.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/encoder/detail/token_batch.hpp>
#include <klue/model.hpp>
#include <klue/model/detail/model_files.hpp>
#include <klue/text/detail/python_string.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue {

// Written as a number there and in LoadOptions, so that the API needs none of the library's own
// headers.
static_assert(EncoderOptions{}.weight_expansion == detail::budget::kExpandedTimes);

namespace {

// The TF-Hub module's default seq_length.
constexpr std::size_t kTensorflowLength = 128;

// A text as the encoder takes it, special tokens included; or a window of one.
struct TokenSequence {
  std::vector<std::int32_t> ids, type_ids;
};

// How a call can be watched and ended while it works.
struct EmbedWatch {
  std::stop_token stop{};
  std::function<void(std::size_t done, std::size_t of)> progress{};

  void look(std::size_t done, std::size_t of) const {
    if (stop.stop_requested()) throw StoppedError();
    if (progress) progress(done, of);
  }
};

// What sentence-transformers does to a text before its tokenizer sees it; `kept` holds the result
// where it is not a part of the text.
std::string_view prepared(std::string_view text, const detail::SentenceTransformer& sentences,
                          const std::string& prompt, std::string& kept) {
  if (!prompt.empty()) text = kept = std::string(prompt).append(text);
  text = detail::python_strip(text);
  if (sentences.lower_case) text = kept = detail::python_lower(text);
  return text;
}

}  // namespace

struct Model::Impl {
  ModelInfo info;
  std::shared_ptr<const ThreadPool> pool;
  Preprocessor preprocessor;
  Encoder encoder;
  std::optional<detail::SentenceTransformer> sentences;
  detail::VectorPipeline mean;  // where there are no sentences
  detail::HeadConfig head_config;
  std::optional<detail::Head> head;
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

  // Rows of seq_length hold no more than that many tokens.
  std::size_t length_limit(const TextOptions& options) const {
    const std::size_t otherwise =
        tensorflow() ? kTensorflowLength : encoder.config().max_sequence_length();
    const std::size_t most = length_limit("max_length", options.max_length, otherwise);
    return options.seq_length
               ? std::min(most, length_limit("seq_length", options.seq_length, otherwise))
               : most;
  }

  EncodeOptions cutting(std::size_t max_length, std::optional<Truncation> truncation) const {
    return {.max_length = max_length,
            .truncation = truncation.value_or(tensorflow() ? Truncation::round_robin
                                                           : Truncation::longest_first)};
  }

  const detail::VectorPipeline& pipeline() const { return sentences ? sentences->pipeline : mean; }

  // A prompt stands before the first text of each.
  std::vector<TokenSequence> tokenize(const Texts& texts, const EncodeOptions& options,
                                      const std::string& prompt = {},
                                      std::vector<TextReport>* reports = nullptr) const {
    // Type ids are the tokenizer's where the encoder has a table for them; RoBERTa and the TF-Hub
    // module know only one type.
    const bool typed = encoder.config().type_vocab_size > 1 && !tensorflow();
    std::vector<TokenSequence> sequences(texts.size());
    if (reports != nullptr) reports->assign(texts.size(), {});
    pool->parallel_for(texts.size(), [&](std::size_t i, std::size_t) {
      std::string first, second;
      const TextPair text = prepared_pair(texts[i], prompt, first, second);
      Encoding encoding = preprocessor.encode(text.text, text.text_pair, options);
      // Without special tokens around it, an empty text is a row of padding in the original.
      if (encoding.ids.empty()) {
        encoding.ids.push_back(preprocessor.tokenizer().special_ids().pad);
        encoding.type_ids.push_back(0);
      }
      if (!typed) encoding.type_ids.assign(encoding.ids.size(), 0);
      sequences[i] = {std::move(encoding.ids), std::move(encoding.type_ids)};
      if (reports != nullptr) (*reports)[i] = report(text, sequences[i].ids, options);
    });
    return sequences;
  }

  TextPair prepared_pair(TextPair text, const std::string& prompt, std::string& first,
                         std::string& second) const {
    if (!sentences) return text;
    text.text = prepared(text.text, *sentences, prompt, first);
    if (text.text_pair) text.text_pair = prepared(*text.text_pair, *sentences, {}, second);
    return text;
  }

  std::size_t count_unknown(std::span<const std::int32_t> ids) const {
    return static_cast<std::size_t>(
        std::ranges::count(ids, preprocessor.tokenizer().special_ids().unk));
  }

  // Only a text that fills all the room can have been cut, and is tokenized once more to know.
  TextReport report(const TextPair& text, std::span<const std::int32_t> ids,
                    const EncodeOptions& options) const {
    TextReport report{.tokens = ids.size(), .kept = ids.size(), .unknown = count_unknown(ids)};
    if (ids.size() == options.max_length)
      report.tokens = preprocessor.encode(text.text, text.text_pair).size();
    return report;
  }

  // What `embed` gives, into `out`.
  void embed(const Texts& texts, const EmbedOptions& options, std::span<float> out) const;

  // The poolings that stand for an option, and the numbers of a vector made with it.
  std::span<const Pooling> poolings_of(const Pooling& pooling) const {
    if (pooling == Pooling::automatic) return pipeline().poolings;
    return {&pooling, 1};
  }
  std::size_t width_of(Pooling pooling) const {
    return pooling == Pooling::automatic ? info.embedding_size : encoder.config().hidden_size;
  }

  // Pooled vectors before any module, into `out`, [texts, poolings × hidden].
  void embed_pooled(const Texts& texts, const EmbedOptions& options,
                    std::span<const Pooling> poolings, std::span<float> out) const;

  // Of the windows of texts that are too long each's mean over the tokens of all.
  void embed_windows(const Texts& texts, const EmbedOptions& options,
                     std::span<const Pooling> poolings, const EmbedWatch& watch,
                     std::span<float> out) const;

  // Every sequence's poolings side by side, into `out`, [sequences, poolings × hidden].
  void pool_all(const std::vector<TokenSequence>& sequences, std::span<const Pooling> poolings,
                const EmbedWatch& watch, std::span<float> out) const;
};

Model::Model(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
Model::Model(const Model&) noexcept = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(const Model&) noexcept = default;
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
std::size_t Model::memory_bytes() const {
  const Impl& m = *impl_;
  return sizeof(Impl) + m.encoder.core().memory_bytes() +
         m.preprocessor.tokenizer().memory_bytes() + m.pipeline().memory_bytes() +
         (m.head ? m.head->pipeline.memory_bytes() : 0);
}
const detail::HeadConfig& Model::head_config() const noexcept {
  return impl_->head_config;
}

Model Model::load(const std::filesystem::path& directory, const LoadOptions& options) {
  return load_place(directory, options);
}

Model Model::load(const Files& files, const LoadOptions& options) {
  return load_place(detail::Place::of(files), options);
}

Model Model::load_place(const detail::Place& directory, const LoadOptions& options) {
  const std::shared_ptr<const ThreadPool> pool = detail::pool_of(options);
  detail::ModelFiles files = detail::read_model_files(directory, options, pool);
  const detail::TokenizerConfig& tokenizer = files.preprocessor.tokenizer().config();
  const std::size_t positions = files.config.max_sequence_length();
  const std::size_t longest = std::min(positions, tokenizer.model_max_length.value_or(positions));
  const std::optional<detail::SentenceTransformer>& sentences = files.sentences;
  ModelInfo info{
      .directory = directory.path(),
      .weights_file = files.checkpoint.file(),
      .weights_format = files.checkpoint.format(),
      .engine = detail::describe_engine(options.engine, options.precision),
      .threads = pool->threads(),
      .poolings = {Pooling::mean},
      .normalize = sentences && sentences->normalize,
      .embedding_size = files.config.hidden_size,
      .max_length = longest,
  };
  if (sentences) {
    info.poolings = sentences->pipeline.poolings;
    info.modules = sentences->pipeline.module_names();
    info.embedding_size = sentences->pipeline.width(files.config.hidden_size);
  }
  if (files.head) info.head = files.head->info;
  if (files.preprocessor.dialect() == Dialect::tensorflow)
    info.max_length = std::min(longest, kTensorflowLength);
  else if (sentences && sentences->max_seq_length)
    info.max_length = std::min(longest, *sentences->max_seq_length);
  return Model(
      std::shared_ptr<const Impl>(new Impl{std::move(info),
                                           pool,
                                           std::move(files.preprocessor),
                                           {files.config,
                                            std::move(files.checkpoint),
                                            pool,
                                            {.engine = options.engine,
                                             .precision = options.precision,
                                             .batch_tokens = options.batch_tokens,
                                             .weight_expansion = options.weight_expansion}},
                                           std::move(files.sentences),
                                           {},
                                           std::move(files.head_config),
                                           std::move(files.head),
                                           longest}));
}

EncoderOutputs Model::encode(const Texts& texts, const OutputOptions& outputs,
                             const TextOptions& options) const {
  return encoder()(encoder_inputs(texts, options), outputs);
}

EncoderInputs Model::encoder_inputs(const Texts& texts, const TextOptions& options) const {
  const Impl& m = *impl_;
  const std::size_t max_length = m.length_limit(options);
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
  return inputs;
}

void Model::Impl::pool_all(const std::vector<TokenSequence>& sequences,
                           std::span<const Pooling> poolings, const EmbedWatch& watch,
                           std::span<float> out) const {
  // Longest first: sentences of a batch take about equally long, and what memory is needed is
  // needed at once.
  const std::vector<std::size_t> order = detail::falling_order(
      sequences.size(), [&](std::size_t i) { return sequences[i].ids.size(); });

  const std::size_t width = poolings.size() * encoder.config().hidden_size;
  detail::TokenBatchBuilder builder(encoder.config());
  for (std::size_t next = 0; next < order.size();) {
    watch.look(next, order.size());
    const std::size_t first = next;
    builder.clear();
    do {
      const TokenSequence& s = sequences[order[next++]];
      builder.append(s.ids, s.type_ids);
    } while (next < order.size() && builder.batch().tokens() + sequences[order[next]].ids.size() <=
                                        encoder.core().batch_tokens());
    encoder.core().pool(builder.batch(), poolings,
                        [&](std::size_t s, std::span<const float> vector) {
                          std::ranges::copy(vector, out.subspan(order[first + s] * width).begin());
                        });
  }
  watch.look(order.size(), order.size());
}

void Model::Impl::embed_windows(const Texts& texts, const EmbedOptions& options,
                                std::span<const Pooling> poolings, const EmbedWatch& watch,
                                std::span<float> out) const {
  if (std::ranges::any_of(poolings, [](Pooling p) { return p != Pooling::mean; }))
    throw UsageError("windows are for mean pooling alone",
                     {.field = "long_texts", .actual = std::string(pooling_name(poolings[0]))});
  const std::size_t most = length_limit("max_length", options.max_length, info.max_length);
  EncodeOptions cut = cutting(most, options.truncation);
  cut.return_overflowing = true;
  const std::size_t specials = preprocessor.encode("").size();
  cut.stride = most > specials ? (most - specials) / 4 : 0;
  const bool typed = encoder.config().type_vocab_size > 1 && !tensorflow();

  std::vector<Encoding> encodings(texts.size());
  pool->parallel_for(texts.size(), [&](std::size_t i, std::size_t) {
    if (texts[i].text_pair)
      throw UsageError("windows are for single texts alone", {.field = "long_texts"});
    std::string kept, none;
    const TextPair text =
        prepared_pair(texts[i], sentences ? sentences->prompt : std::string(), kept, none);
    encodings[i] = preprocessor.encode(text.text, std::nullopt, cut);
  });
  std::vector<TokenSequence> windows;
  std::vector<std::size_t> owners;
  if (options.reports != nullptr) options.reports->assign(texts.size(), {});
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    const auto add = [&](Encoding& window) {
      if (!typed) window.type_ids.assign(window.ids.size(), 0);
      if (options.reports != nullptr) {
        TextReport& report = (*options.reports)[i];
        report.tokens = report.kept += window.ids.size();
        report.unknown += count_unknown(window.ids);
      }
      windows.push_back({std::move(window.ids), std::move(window.type_ids)});
      owners.push_back(i);
    };
    add(encodings[i]);
    std::ranges::for_each(encodings[i].overflowing, add);
  }

  const std::size_t width = poolings.size() * encoder.config().hidden_size;
  Tensor pooled{windows.size(), width};
  pool_all(windows, poolings, watch, pooled.values());
  for (std::size_t first = 0, end = 0; first < windows.size(); first = end) {
    const std::span<float> vector = out.subspan(owners[first] * width, width);
    for (end = first + 1; end < windows.size() && owners[end] == owners[first];)
      ++end;
    if (end == first + 1) {  // the same bits as without windows
      std::ranges::copy(pooled.at(first), vector.begin());
      continue;
    }
    std::ranges::fill(vector, 0.0f);
    std::size_t tokens = 0;
    for (std::size_t w = first; w < end; ++w)
      tokens += windows[w].ids.size();
    for (std::size_t w = first; w < end; ++w) {
      const float weight = static_cast<float>(windows[w].ids.size()) / static_cast<float>(tokens);
      for (std::size_t j = 0; j < vector.size(); ++j)
        vector[j] += weight * pooled.at(w)[j];
    }
  }
}

void Model::Impl::embed_pooled(const Texts& texts, const EmbedOptions& options,
                               std::span<const Pooling> poolings, std::span<float> out) const {
  const EmbedWatch watch{options.stop, options.progress};
  watch.look(0, texts.size());
  if (options.long_texts == LongTexts::windows)
    return embed_windows(texts, options, poolings, watch, out);
  const std::size_t most = length_limit("max_length", options.max_length, info.max_length);
  pool_all(tokenize(texts, cutting(most, options.truncation),
                    sentences ? sentences->prompt : std::string(), options.reports),
           poolings, watch, out);
}

void Model::Impl::embed(const Texts& texts, const EmbedOptions& options,
                        std::span<float> out) const {
  if (options.pooling == Pooling::pooler) encoder.require_pooler();
  const std::span<const Pooling> poolings = poolings_of(options.pooling);
  if (options.pooling != Pooling::automatic || pipeline().modules.empty()) {
    embed_pooled(texts, options, poolings, out);
  } else {
    Tensor pooled{texts.size(), poolings.size() * encoder.config().hidden_size};
    embed_pooled(texts, options, poolings, pooled.values());
    std::ranges::copy(detail::run_modules(pipeline(), std::move(pooled), *pool).values(),
                      out.begin());
  }
  if (!options.normalize.value_or(info.normalize)) return;
  const std::size_t width = width_of(options.pooling);
  for (std::size_t i = 0; i < texts.size(); ++i)
    normalize(out.subspan(i * width, width));
}

Tensor Model::embed(const Texts& texts, const EmbedOptions& options) const {
  Tensor vectors{texts.size(), impl_->width_of(options.pooling)};
  impl_->embed(texts, options, vectors.values());
  return vectors;
}

void Model::embed_into(const Texts& texts, std::span<float> out,
                       const EmbedOptions& options) const {
  const std::size_t expected = texts.size() * impl_->width_of(options.pooling);
  if (out.size() != expected)
    throw UsageError("the memory for the vectors has another size",
                     {.field = "out",
                      .expected = std::to_string(expected) + " numbers",
                      .actual = std::to_string(out.size())});
  impl_->embed(texts, options, out);
}

Tensor Model::classify(const Texts& texts, const TextOptions& options) const {
  const Impl& m = *impl_;
  if (!m.head || m.head->info.labels == 0)
    throw UsageError("this checkpoint has no classifier of texts that could be run",
                     {.file = m.info.weights_file.string(),
                      .actual = m.head ? m.head->info.description : "an encoder alone"});
  const std::vector<TokenSequence> sequences =
      m.tokenize(texts, m.cutting(m.length_limit(options), options.truncation));
  const detail::VectorPipeline& pipeline = m.head->pipeline;
  Tensor pooled{sequences.size(), pipeline.poolings.size() * m.encoder.config().hidden_size};
  m.pool_all(sequences, pipeline.poolings, {.stop = options.stop}, pooled.values());
  return detail::run_modules(pipeline, std::move(pooled), *m.pool);
}

Preprocessor load_preprocessor(const std::filesystem::path& directory, const LoadOptions& options) {
  return detail::read_preprocessor_of(directory, options);
}

Preprocessor load_preprocessor(const Files& files, const LoadOptions& options) {
  return detail::read_preprocessor_of(detail::Place::of(files), options);
}

}  // namespace klue
