#include <string>

#include <klue/core/detail/json_file.hpp>
#include <klue/core/error.hpp>
#include <klue/encoder/config.hpp>

namespace klue {
namespace {

// Far above any real encoder, far below where products of two of them overflow.
constexpr std::uint64_t kMost = std::uint64_t{1} << 24;

Activation read_activation(const detail::json::Object& config) {
  const std::string name = config.string("hidden_act");
  if (name == "gelu") return Activation::gelu;
  if (name == "relu") return Activation::relu;
  throw UnsupportedError("this activation is not supported", {.file = config.file().string(),
                                                              .field = "hidden_act",
                                                              .expected = "gelu or relu",
                                                              .actual = name});
}

PositionScheme read_positions(const detail::json::Object& config, const std::string& model_type) {
  const std::string file = config.file().string();
  if (config.has("position_embedding_type")) {
    const std::string type = config.string("position_embedding_type");
    if (type != "absolute")
      throw UnsupportedError("only absolute position embeddings are supported",
                             {.file = file,
                              .field = "position_embedding_type",
                              .expected = "absolute",
                              .actual = type});
  }
  if (model_type == "roberta") return PositionScheme::after_padding;
  if (model_type == "bert") return PositionScheme::index;
  throw UnsupportedError(
      "this kind of model is not supported",
      {.file = file, .field = "model_type", .expected = "roberta or bert", .actual = model_type});
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
    if (value < 1 || value > kMost)
      refuse(key, "from 1 to " + std::to_string(kMost), std::to_string(value));
  };
  within("vocab_size", c.vocab_size);
  within("hidden_size", c.hidden_size);
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

EncoderConfig from_json(const detail::json::Object& config) {
  const auto size = [&](const char* key) {
    return static_cast<std::size_t>(config.integer(key, 1, kMost));
  };
  EncoderConfig result;
  result.model_type = config.string("model_type");
  result.positions = read_positions(config, result.model_type);
  result.vocab_size = size("vocab_size");
  result.hidden_size = size("hidden_size");
  result.num_hidden_layers = size("num_hidden_layers");
  result.num_attention_heads = size("num_attention_heads");
  result.intermediate_size = size("intermediate_size");
  result.max_position_embeddings = size("max_position_embeddings");
  result.type_vocab_size = size("type_vocab_size");
  // BERT's configurations may leave it out; both families' own defaults are meant then.
  result.pad_token_id = config.has("pad_token_id")
                            ? static_cast<std::size_t>(config.integer("pad_token_id", 0, kMost))
                            : (result.model_type == "bert" ? 0 : 1);
  result.layer_norm_eps = static_cast<float>(config.number("layer_norm_eps"));
  result.hidden_act = read_activation(config);
  validate(result, config.file());
  return result;
}

}  // namespace

EncoderConfig read_encoder_config(const std::filesystem::path& file) {
  return from_json(detail::json::Object::read(file));
}

EncoderConfig parse_encoder_config(std::string_view json, const std::filesystem::path& file) {
  return from_json(detail::json::Object::parse(json, file));
}

}  // namespace klue
