#include <algorithm>
#include <string>
#include <utility>

#include <klue/checkpoint/detail/archive.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/checkpoint/detail/saved_model.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>
#include <klue/model/detail/model_files.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::detail {
namespace {

// Trained models round their table up so that it multiplies well, and Korean ones keep rows for
// tokens to come. Further apart than this, vocabulary and weights belong to different models.
std::size_t most_spare_rows(std::size_t rows) {
  return std::max<std::size_t>(127, rows / 4);
}

void check_vocabulary(const Preprocessor& preprocessor, const EncoderConfig& config,
                      const Place& directory) {
  const std::size_t pieces = preprocessor.tokenizer().vocabulary().size();
  if (pieces > config.vocab_size || pieces + most_spare_rows(config.vocab_size) < config.vocab_size)
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

EncoderConfig read_config_of(const Place& file) {
  return parse_encoder_config(map_text_file(file).text(), file.path());
}

// The encoder of a SavedModel, of which only the tensors are known. The rest is the TF-Hub
// module's: klue/roberta-base with positions counted from 0.
EncoderConfig config_of(const EncoderShape& shape) {
  EncoderConfig config;
  config.vocab_size = shape.vocabulary;
  config.hidden_size = shape.hidden;
  config.num_hidden_layers = shape.layers;
  config.num_attention_heads = shape.heads;
  config.intermediate_size = shape.intermediate;
  config.max_position_embeddings = shape.positions;
  config.type_vocab_size = shape.token_types;
  config.positions = PositionScheme::index;
  return config;
}

std::optional<TokenizerFiles> packed_tokenizer(const Archive& archive) {
  const std::optional<PackedVocabulary> vocabulary = find_vocabulary(archive);
  if (!vocabulary) return std::nullopt;
  return parse_vocabulary_file(vocabulary->text, vocabulary->file);
}

// The tokenizer's files in a folder, or in its assets, or in an archive; nothing where there are
// none.
std::optional<TokenizerFiles> find_tokenizer(const Place& path) {
  if (is_archive(path)) return packed_tokenizer(Archive::open(path));
  const std::optional<Place> folder = find_vocabulary_folder(path);
  return folder ? std::optional(read_tokenizer_files(*folder)) : std::nullopt;
}

// The encoder module has no vocabulary of its own; the preprocess module has it.
TokenizerFiles tokenizer_beside(const Place& model) {
  for (const Place& place : preprocess_modules_beside(model))
    if (auto found = find_tokenizer(place)) return std::move(*found);
  throw IoError(
      "no vocabulary found: give the directory of the preprocess module",
      {.file = model.string(),
       .expected = "assets/vocab.txt here or in klue_roberta_cased_preprocess beside it"});
}

// Where the tokenizer is: given (in `root`, where that is not the disk), in the model itself, or
// beside a SavedModel. `unpacked` is the model where it is an archive that is open already.
TokenizerFiles find_tokenizer_files(const Place& model, const Place& root,
                                    const LoadOptions& options, const Archive* unpacked) {
  if (!options.preprocessor.empty()) {
    const Place given = root.on_disk() ? Place(options.preprocessor) : root / options.preprocessor;
    if (auto found = find_tokenizer(given)) return std::move(*found);
    if (is_archive(given))
      throw FormatError("no vocabulary in the archive",
                        {.file = given.string(), .expected = "assets/vocab.txt"});
    return read_tokenizer_files(given);
  }
  if (unpacked == nullptr && !is_saved_model(model)) return read_tokenizer_files(model);
  auto own = unpacked != nullptr ? packed_tokenizer(*unpacked) : find_tokenizer(model);
  return own ? std::move(*own) : tokenizer_beside(model);
}

Preprocessor read_preprocessor(const Place& model, const Place& root, const LoadOptions& options,
                               std::size_t type_vocab_size, std::shared_ptr<const ThreadPool> pool,
                               const Archive* unpacked = nullptr) {
  const Dialect usual =
      unpacked != nullptr || is_saved_model(model) ? Dialect::tensorflow : Dialect::huggingface;
  return Preprocessor(Tokenizer(find_tokenizer_files(model, root, options, unpacked),
                                options.dialect.value_or(usual)),
                      type_vocab_size, std::move(pool));
}

void require_directory(const Place& directory) {
  if (!directory_exists(directory))
    throw IoError("no such model directory", {.file = directory.string()});
}

// `unpacked` is the SavedModel where it is an archive.
ModelFiles read_saved_model(const Place& path, const LoadOptions& options,
                            std::shared_ptr<const ThreadPool> pool,
                            const Archive* unpacked = nullptr) {
  const PipelineEngine engine{options.engine, *pool};
  Checkpoint checkpoint =
      unpacked != nullptr ? read_tensorflow_checkpoint(*unpacked) : open_place(path);
  if (!checkpoint.is_tensorflow())
    throw FormatError("no RoBERTa encoder in this SavedModel",
                      {.file = checkpoint.file().string()});
  EncoderConfig config = config_of(*checkpoint.encoder_shape());
  Preprocessor preprocessor =
      read_preprocessor(path, path, options, config.type_vocab_size, pool, unpacked);
  config.pad_token_id = static_cast<std::size_t>(preprocessor.tokenizer().special_ids().pad);
  validate(config, checkpoint.file());
  check_vocabulary(preprocessor, config, path);
  std::optional<Head> head = read_head({}, config, checkpoint, engine);
  return {std::move(config), std::move(preprocessor), std::move(checkpoint), std::nullopt, {},
          std::move(head)};
}

}  // namespace

std::shared_ptr<const ThreadPool> pool_of(const LoadOptions& options) {
  return options.pool ? options.pool : std::make_shared<const ThreadPool>(options.threads);
}

ModelFiles read_model_files(const Place& directory, const LoadOptions& options,
                            std::shared_ptr<const ThreadPool> pool) {
  if (is_archive(directory)) {
    const Archive archive = Archive::open(directory);
    return read_saved_model(directory, options, std::move(pool), &archive);
  }
  require_directory(directory);
  if (is_saved_model(directory)) return read_saved_model(directory, options, std::move(pool));

  const PipelineEngine engine{options.engine, *pool};
  const Place encoder = transformer_directory(directory);
  const Place config_json = encoder / "config.json";
  const EncoderConfig config = read_config_of(config_json);
  Preprocessor preprocessor =
      read_preprocessor(encoder, directory, options, config.type_vocab_size, pool);
  check_vocabulary(preprocessor, config, encoder);
  std::optional<SentenceTransformer> sentences =
      read_sentence_transformer(directory, config.hidden_size, engine);
  Checkpoint checkpoint = open_place(encoder);
  HeadConfig head_config = read_head_config(config_json);
  std::optional<Head> head = read_head(head_config, config, checkpoint, engine);
  return {config,
          std::move(preprocessor),
          std::move(checkpoint),
          std::move(sentences),
          std::move(head_config),
          std::move(head)};
}

Preprocessor read_preprocessor_of(const Place& path, const LoadOptions& options) {
  std::shared_ptr<const ThreadPool> pool = pool_of(options);
  if (is_archive(path)) {
    const Archive archive = Archive::open(path);
    return read_preprocessor(path, path, options, 1, std::move(pool), &archive);
  }
  require_directory(path);
  const Place directory = transformer_directory(path);
  const Place config = directory / "config.json";
  const std::size_t types = file_exists(config) ? read_config_of(config).type_vocab_size : 1;
  return read_preprocessor(directory, path, options, types, std::move(pool));
}

}  // namespace klue::detail
