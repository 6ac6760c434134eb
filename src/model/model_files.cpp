#include "model/model_files.hpp"

#include <array>
#include <string>
#include <utility>

#include <klue/core/error.hpp>

namespace klue {
namespace {

namespace fs = std::filesystem;

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

// Where the vocabulary of a SavedModel is: the encoder module has none of its own, the preprocess
// module has it among its assets, and people unpack the two side by side.
fs::path find_assets(const fs::path& model) {
  const fs::path absolute = fs::absolute(model).lexically_normal();
  const fs::path beside = absolute.parent_path() / "klue_roberta_cased_preprocess";
  const fs::path above = absolute.parent_path().parent_path() / "klue_roberta_cased_preprocess";
  for (const fs::path& folder : {absolute / "assets", beside / "assets", beside / "1" / "assets",
                                 above / "1" / "assets", above / "assets", absolute})
    if (fs::exists(folder / "vocab.txt")) return folder;
  throw IoError(
      "no vocabulary found: give the directory of the preprocess module",
      {.file = model.string(),
       .expected = "assets/vocab.txt here or in klue_roberta_cased_preprocess beside it"});
}

bool is_saved_model(const fs::path& directory) {
  return !fs::exists(directory / "config.json") &&
         fs::exists(directory / "variables" / "variables.index");
}

fs::path tokenizer_directory(const fs::path& directory, const LoadOptions& options) {
  if (options.preprocessor.empty())
    return is_saved_model(directory) ? find_assets(directory) : directory;
  const fs::path assets = options.preprocessor / "assets";
  return fs::exists(assets / "vocab.txt") ? assets : options.preprocessor;
}

Preprocessor read_preprocessor(const fs::path& directory, const LoadOptions& options,
                               std::size_t type_vocab_size,
                               std::shared_ptr<const ThreadPool> pool) {
  const Dialect usual = is_saved_model(directory) ? Dialect::tensorflow : Dialect::huggingface;
  return Preprocessor::load(tokenizer_directory(directory, options),
                            {.dialect = options.dialect.value_or(usual),
                             .type_vocab_size = type_vocab_size,
                             .pool = std::move(pool)});
}

void require_directory(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored))
    throw IoError("no such model directory", {.file = directory.string()});
}

ModelFiles read_saved_model(const fs::path& directory, const LoadOptions& options,
                            std::shared_ptr<const ThreadPool> pool) {
  const PipelineEngine engine{options.engine, *pool};
  Checkpoint checkpoint = open_checkpoint(directory);
  if (!checkpoint.encoder_shape())
    throw FormatError("no RoBERTa encoder in this SavedModel",
                      {.file = checkpoint.file().string()});
  EncoderConfig config = config_of(*checkpoint.encoder_shape());
  Preprocessor preprocessor =
      read_preprocessor(directory, options, config.type_vocab_size, pool);
  config.pad_token_id = static_cast<std::size_t>(preprocessor.tokenizer().special_ids().pad);
  validate(config, checkpoint.file());
  check_vocabulary(preprocessor, config, directory);
  std::optional<Head> head = read_head({}, config, checkpoint, engine);
  return {std::move(config), std::move(preprocessor), std::move(checkpoint), std::nullopt,
          std::move(head)};
}

}  // namespace

ModelFiles read_model_files(const fs::path& directory, const LoadOptions& options,
                            std::shared_ptr<const ThreadPool> pool) {
  require_directory(directory);
  if (is_saved_model(directory)) return read_saved_model(directory, options, std::move(pool));

  const PipelineEngine engine{options.engine, *pool};
  const fs::path encoder = transformer_directory(directory);
  const fs::path config_json = encoder / "config.json";
  const EncoderConfig config = read_encoder_config(config_json);
  Preprocessor preprocessor = read_preprocessor(encoder, options, config.type_vocab_size, pool);
  check_vocabulary(preprocessor, config, encoder);
  std::optional<SentenceTransformer> sentences =
      read_sentence_transformer(directory, config.hidden_size, engine);
  Checkpoint checkpoint = open_checkpoint(encoder);
  std::optional<Head> head = read_head(config_json, config, checkpoint, engine);
  return {config, std::move(preprocessor), std::move(checkpoint), std::move(sentences),
          std::move(head)};
}

Preprocessor load_preprocessor(const fs::path& path, const LoadOptions& options) {
  require_directory(path);
  const fs::path directory = transformer_directory(path);
  const fs::path config = directory / "config.json";
  const std::size_t types = fs::exists(config) ? read_encoder_config(config).type_vocab_size : 1;
  return read_preprocessor(directory, options, types,
                           std::make_shared<const ThreadPool>(options.threads));
}

}  // namespace klue
