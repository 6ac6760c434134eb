#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <klue/core/detail/json.hpp>
#include <klue/core/error.hpp>
#include <klue/encoder/config.hpp>

namespace klue {
namespace {

// Far above any real encoder, far below where products of two of them overflow.
constexpr std::uint64_t kMostOfAnySize = std::uint64_t{1} << 24;

/// What the classes of Hugging Face take where a configuration says nothing; published ones of the
/// first BERT models leave out what was no choice then.
struct EncoderFamily {
  std::string_view model_type;
  PositionScheme positions;
  std::size_t pad_token_id;
  bool has_defaults;  ///< else everything has to be said
};
constexpr std::array kEncoderFamilies{
    EncoderFamily{"roberta", PositionScheme::after_padding, 1, false},
    EncoderFamily{"bert", PositionScheme::index, 0, true},
    EncoderFamily{"electra", PositionScheme::index, 0, true},
};
constexpr std::size_t kDefaultTypeVocabSize = 2, kDefaultElectraEmbeddingSize = 128;
constexpr double kDefaultLayerNormEps = 1e-12;

void require_supported(const detail::JsonNode& node, bool supported, const char* message,
                       const char* expected) {
  if (!supported)
    throw UnsupportedError(
        message,
        {.file = node.file(), .field = node.path(), .expected = expected, .actual = node.string()});
}

const EncoderFamily& read_family(const detail::JsonNode& config) {
  const detail::JsonNode type = config.at("model_type");
  const auto family =
      std::ranges::find(kEncoderFamilies, type.string(), &EncoderFamily::model_type);
  require_supported(type, family != kEncoderFamilies.end(), "this kind of model is not supported",
                    "roberta, bert or electra");
  return *family;
}

Activation read_activation(const detail::JsonNode& config, const EncoderFamily& family) {
  if (family.has_defaults && !config.find("hidden_act")) return Activation::gelu;
  const detail::JsonNode node = config.at("hidden_act");
  const std::string name = node.string();
  // gelu_new, gelu_fast and their like are other functions, off by up to 1e-3.
  require_supported(node, name == "gelu" || name == "gelu_python" || name == "relu",
                    "this activation is not supported", "gelu or relu");
  return name == "relu" ? Activation::relu : Activation::gelu;
}

}  // namespace

void validate(const EncoderConfig& c, const std::filesystem::path& file) {
  const auto refuse = [&](const char* key, std::string expected, std::string actual) {
    throw FormatError("wrong value", {.file = file.string(),
                                      .field = key,
                                      .expected = std::move(expected),
                                      .actual = std::move(actual)});
  };
  const auto within = [&](const char* key, std::size_t value) {
    if (value < 1 || value > kMostOfAnySize)
      refuse(key, "from 1 to " + std::to_string(kMostOfAnySize), std::to_string(value));
  };
  within("vocab_size", c.vocab_size);
  within("hidden_size", c.hidden_size);
  if (c.embedding_size != 0) within("embedding_size", c.embedding_size);
  within("num_hidden_layers", c.num_hidden_layers);
  within("num_attention_heads", c.num_attention_heads);
  within("intermediate_size", c.intermediate_size);
  within("max_position_embeddings", c.max_position_embeddings);
  within("type_vocab_size", c.type_vocab_size);
  if (c.hidden_size % c.num_attention_heads != 0)
    refuse("num_attention_heads", "a divisor of hidden_size " + std::to_string(c.hidden_size),
           std::to_string(c.num_attention_heads));
  if (c.pad_token_id >= c.vocab_size)
    refuse("pad_token_id", "below vocab_size " + std::to_string(c.vocab_size),
           std::to_string(c.pad_token_id));
  if (c.positions == PositionScheme::after_padding &&
      c.max_position_embeddings <= c.pad_token_id + 1)
    refuse("max_position_embeddings",
           "more than pad_token_id + 1 = " + std::to_string(c.pad_token_id + 1),
           std::to_string(c.max_position_embeddings));
  if (!(c.layer_norm_eps > 0.0f && c.layer_norm_eps < 1.0f))
    refuse("layer_norm_eps", "between 0 and 1", std::to_string(c.layer_norm_eps));
}

namespace {

EncoderConfig from_json(const detail::JsonNode& config) {
  if (!config.is_object()) config.wrong("an object", "not a JSON object");
  const EncoderFamily& family = read_family(config);
  if (const auto type = config.find("position_embedding_type"))
    require_supported(*type, type->string() == "absolute",
                      "only absolute position embeddings are supported", "absolute");
  const auto size = [&](const char* key) {
    return static_cast<std::size_t>(config.at(key).integer(1, kMostOfAnySize));
  };
  const auto size_or = [&](const char* key, std::size_t otherwise) {
    return config.find(key) ? size(key) : otherwise;
  };
  EncoderConfig result;
  result.model_type = family.model_type;
  result.positions = family.positions;
  result.vocab_size = size("vocab_size");
  result.hidden_size = size("hidden_size");
  result.num_hidden_layers = size("num_hidden_layers");
  result.num_attention_heads = size("num_attention_heads");
  result.intermediate_size = size("intermediate_size");
  result.max_position_embeddings = size("max_position_embeddings");
  result.type_vocab_size = family.has_defaults ? size_or("type_vocab_size", kDefaultTypeVocabSize)
                                               : size("type_vocab_size");
  if (result.model_type == "electra")
    result.embedding_size = size_or("embedding_size", kDefaultElectraEmbeddingSize);
  result.pad_token_id = family.pad_token_id;
  if (const auto pad = config.find("pad_token_id"))
    result.pad_token_id = static_cast<std::size_t>(pad->integer(0, kMostOfAnySize));
  const bool said = !family.has_defaults || config.find("layer_norm_eps");
  result.layer_norm_eps =
      static_cast<float>(said ? config.at("layer_norm_eps").number() : kDefaultLayerNormEps);
  result.hidden_act = read_activation(config, family);
  validate(result, config.file());
  return result;
}

}  // namespace

EncoderConfig read_encoder_config(const std::filesystem::path& file) {
  return from_json(detail::read_json_object(file));
}

EncoderConfig parse_encoder_config(std::string_view json, const std::filesystem::path& file) {
  const detail::JsonNode root = detail::parse_json(json, file.string());
  if (!root.is_object()) root.wrong("an object", "not a JSON object");
  return from_json(root);
}

}  // namespace klue
