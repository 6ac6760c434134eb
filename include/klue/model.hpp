#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/encoder_inputs.hpp>
#include <klue/core/files.hpp>
#include <klue/core/tensor.hpp>
#include <klue/core/texts.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/encoder.hpp>
#include <klue/encoder/pooling.hpp>
#include <klue/text/preprocessor.hpp>

namespace klue {

namespace detail {
class Place;
struct HeadConfig;
}  // namespace detail

/// How a model is loaded; all may be left as it is.
struct LoadOptions {
  std::size_t threads = 0;  ///< that may work on one call; 0: all the process may use
  /// Threads to share with other models, in the place of `threads`. Unset: the model's own.
  std::shared_ptr<const ThreadPool> pool{};
  Engine engine = Engine::automatic;     ///< what multiplies the weights
  Precision precision = Precision::f32;  ///< of the weights and activations that are multiplied
  std::optional<Dialect> dialect{};      ///< unset: what the model directory was made with
  /// Where the tokenizer's files are, when they are not in the model directory itself: a folder, or
  /// a packed preprocess module.
  std::filesystem::path preprocessor{};
  /// Tokens computed together. More text than this is worked through in parts, so that memory does
  /// not grow with it: about 40 kB per token of the base model.
  std::size_t batch_tokens = 256;
  /// What the layers may be packed into, as a multiple of the bytes that the weights have in their
  /// file (and 64 MiB). Only files whose layers share their tensors need more than 4; a hostile one
  /// could fill any memory that way, so raise this for a file that you trust.
  std::size_t weight_expansion = 4;
};

/// How texts are cut and padded before they are encoded.
struct TextOptions {
  /// Tokens that are kept of a text or pair, special tokens included. Unset: as many as the model
  /// has positions (512 for the base model), or 128 in the tensorflow dialect as in the TF-Hub
  /// module.
  std::optional<std::size_t> max_length{};
  /// Pads (and cuts) every row to this length. Unset: to the longest text of the call, or 128 in
  /// the tensorflow dialect.
  std::optional<std::size_t> seq_length{};
  /// Unset: longest_first, or round_robin in the tensorflow dialect.
  std::optional<Truncation> truncation{};
  /// `classify` asks it between parts of `batch_tokens`; see EmbedOptions::stop.
  std::stop_token stop{};
};

/// What becomes of a text with more tokens than there is room for.
enum class LongTexts {
  cut,  ///< it is cut, as EmbedOptions::truncation says
  /// It is read in windows of max_length tokens that share a quarter of them, and its vector is the
  /// mean over all tokens of all windows. For mean pooling and single texts alone.
  windows
};

/// What became of a text on its way to a vector.
struct TextReport {
  std::size_t tokens = 0;   ///< that it has, special tokens included
  std::size_t kept = 0;     ///< of them, that its vector is made of
  std::size_t unknown = 0;  ///< of those kept, that stand for what the vocabulary lacks ([UNK])
  /// Whether tokens were left out.
  bool cut() const noexcept { return kept < tokens; }
};

/// How texts become vectors; all may be left as it is.
struct EmbedOptions {
  /// Automatic: all that the model directory says, its Dense layers included; else mean. Any other
  /// takes the place of the directory's own pooling and of the modules behind it, which were
  /// trained for nothing else, so that the vectors are [texts, hidden].
  Pooling pooling = Pooling::automatic;
  /// Makes every vector one of length 1. Unset: where the model directory ends so, else no. False
  /// leaves that end out.
  std::optional<bool> normalize{};
  std::optional<std::size_t> max_length{};  ///< as in TextOptions
  std::optional<Truncation> truncation{};   ///< as in TextOptions
  LongTexts long_texts = LongTexts::cut;    ///< what becomes of a text with too many tokens
  /// Asked between parts of `batch_tokens`; where a stop is requested, the call ends in a
  /// StoppedError.
  std::stop_token stop{};
  /// Told between those parts how many of the texts are done (windows counted as texts), on the
  /// calling thread. What it throws ends the call.
  std::function<void(std::size_t done, std::size_t of)> progress{};
  /// Becomes one report for each text, where it is given.
  std::vector<TextReport>* reports = nullptr;
};

/// What a fine-tuned model is for; the room <klue/task/…> has a value for each.
enum class Task : unsigned char {
  classify,  ///< labels of texts or pairs: Classifier
  rank,      ///< how well two texts go together: Ranker
  tag,       ///< entities, labels of tokens: Tagger
  answer,    ///< places in a text that answer a question: Answerer
  fill_mask  ///< words for masks: MaskFiller
};

/// "fill-mask"; the spelling of the command line.
constexpr std::string_view task_name(Task task) {
  switch (task) {
    case Task::classify:
      return "classify";
    case Task::rank:
      return "rank";
    case Task::tag:
      return "tag";
    case Task::answer:
      return "answer";
    case Task::fill_mask:
      return "fill-mask";
  }
  return "";
}

/// What a checkpoint holds on top of its encoder.
struct HeadInfo {
  /// "classifier on the first token", "masked language model", "not run: discriminator_predictions"
  std::string description;
  std::size_t labels = 0;  ///< logits of `Model::classify` for each text; 0: it is not run
  /// As the configuration names them, in the order of the logits; empty where it does not.
  std::vector<std::string> label_names;
  std::vector<Task> tasks{};  ///< that the head is good for
};

/// What `Model::load` found, for people and logs.
struct ModelInfo {
  std::filesystem::path directory;     ///< as it was given
  std::filesystem::path weights_file;  ///< which the tensors came from
  std::string weights_format;          ///< "safetensors"
  std::string engine;                  ///< "packed, AVX-512, f32"
  std::size_t threads = 1;             ///< that may work on one call
  /// What Pooling::automatic stands for; several are put side by side.
  std::vector<Pooling> poolings{};
  std::vector<std::string> modules{};  ///< what follows them, in order: "Dense 768 → 256, tanh"
  bool normalize = false;              ///< the default of EmbedOptions::normalize
  std::size_t embedding_size = 0;      ///< numbers of a vector of Pooling::automatic
  std::size_t max_length = 0;          ///< the default of EmbedOptions::max_length
  std::optional<HeadInfo> head{};      ///< absent where there is only an encoder
};

/// A model directory, ready to use: texts in, vectors out.
///
///     auto model = klue::Model::load("klue-roberta-base");
///     auto vectors = model.embed({"첫 번째 문장", "두 번째 문장"});   // [2, 768]
///
/// Immutable after load: any number of threads may call one model at once, and share its threads
/// when they do. A copy is the same model, not its weights a second time. A process may fork with a
/// model, even while other threads call it: the child can call it, too, with threads of its own,
/// and shares the memory of the weights until one of them writes there, which nobody does
/// (Engine::onednn gives no such promise while others call). Text is UTF-8; what is not valid UTF-8
/// counts as U+FFFD and is no error.
class KLUE_EXPORT Model {
 public:
  /// Opens a model directory, as it is:
  /// - Hugging Face layout: config.json, the tokenizer's files and model.safetensors or
  ///   pytorch_model.bin (whole or in shards; float32, float16 or bfloat16). What a
  ///   sentence-transformers directory adds (pooling, Dense layers, normalisation, maximal length,
  ///   lower-casing, a default prompt) becomes the default of `embed`, which then gives what
  ///   SentenceTransformer.encode gives.
  /// - the TF-Hub module as a TensorFlow SavedModel, with the vocabulary of the preprocess module
  ///   (its assets folder here, beside it, or given as `preprocessor`). Either may be the .tar.gz
  ///   (or .tar) that is published, which is unpacked into a temporary file without a name. Text is
  ///   then tokenized in the tensorflow dialect unless asked otherwise.
  ///
  /// Throws IoError for what cannot be read, FormatError for a file that is damaged or contradicts
  /// another, UnsupportedError for a model of another kind. The weights are copied once, into the
  /// form that multiplies fastest; the word embeddings stay mapped from their file.
  static Model load(const std::filesystem::path& directory, const LoadOptions& options = {});

  /// The same of files that are not on a disk, by the names they would have in the directory; the
  /// vocabulary of a SavedModel is in its assets or in the folder options.preprocessor of the same
  /// files. Nothing is written anywhere. The model keeps what `files` gave it of the weights, in
  /// which the word embeddings stay, and not `files` itself. What files.find throws ends the load.
  static Model load(const Files& files, const LoadOptions& options = {});

  Model(const Model&) noexcept;
  Model(Model&&) noexcept;
  Model& operator=(const Model&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  /// The outputs of the TF-Hub module for each text or pair, in the order given; rows of padding
  /// are zero. Throws UsageError for a pooled_output that the checkpoint cannot give and for a
  /// length that cannot be kept.
  EncoderOutputs encode(const Texts& texts, const OutputOptions& outputs = {},
                        const TextOptions& options = {}) const;

  /// What `encode` runs: `encoder()(encoder_inputs(texts, options), outputs)` gives the same. Says
  /// beforehand how long rows are, and which of their positions are padding. Throws as `encode`.
  EncoderInputs encoder_inputs(const Texts& texts, const TextOptions& options = {}) const;

  /// One vector for each text or pair, [texts, info().embedding_size], in the order given;
  /// [texts, hidden] where options.pooling is not automatic. Works longest first inside and in
  /// parts of `batch_tokens`, whatever comes. A text gives the same bits alone and among others,
  /// with Engine::eigen and Engine::onednn the same numbers to 1e-5. Throws UsageError for
  /// Pooling::pooler where the checkpoint has no pooler, and for windows with another pooling than
  /// the mean or of pairs.
  Tensor embed(const Texts& texts, const EmbedOptions& options = {}) const;

  /// The same into memory of the caller's, [texts, width] in C order, of which every number is
  /// written: nothing is allocated for the result. Throws UsageError where `out` has another size.
  /// What it holds after any error is undefined.
  void embed_into(const Texts& texts, std::span<float> out, const EmbedOptions& options = {}) const;

  /// The logits of a model that was fine-tuned as a classifier of texts or pairs, [texts, labels],
  /// in the order given: RobertaForSequenceClassification, BertForSequenceClassification, or a
  /// SavedModel with one Dense layer on top, which is taken to stand on the pooled output, as the
  /// TF-Hub page has it, and whose activation is left out. seq_length only limits here. Throws
  /// UsageError where info().head has no labels.
  Tensor classify(const Texts& texts, const TextOptions& options = {}) const;

  /// The two-step form: tokenize, bert_pack_inputs, then encoder().
  const Preprocessor& preprocessor() const noexcept;
  /// The encoder alone: ids in, vectors out.
  const Encoder& encoder() const noexcept;

  /// What was loaded.
  const ModelInfo& info() const noexcept;

  /// Bytes of memory that this model and its copies hold together: the packed weights, the
  /// tokenizer, the workspaces of calls that are over, which the next ones use again, and what
  /// `Files` gave it. It grows while calls come that are larger, or more at once, than any before,
  /// and then stays. Not in it are the threads, what Eigen or oneDNN keep for each of them, and the
  /// word embeddings of a model on a disk: they are read from their file as they are needed, and
  /// shared with every process that reads it.
  std::size_t memory_bytes() const;

  /// What the model's configuration says about its head, as the library's own rooms use it.
  const detail::HeadConfig& head_config() const noexcept;

 private:
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl) noexcept;
  static Model load_place(const detail::Place& directory, const LoadOptions& options);
  std::shared_ptr<const Impl> impl_;
};

/// The tokenizer of a model directory alone, without its weights, which may be missing: what
/// `Model::load(directory).preprocessor()` would be. Throws as Model::load does.
KLUE_EXPORT Preprocessor load_preprocessor(const std::filesystem::path& directory,
                                           const LoadOptions& options = {});
/// The same of files that are not on a disk.
KLUE_EXPORT Preprocessor load_preprocessor(const Files& files, const LoadOptions& options = {});

}  // namespace klue
