#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/text/detail/added_token_json.hpp>
#include <klue/text/detail/json_node.hpp>
#include <klue/text/tokenizer_config.hpp>

namespace klue {
namespace {

void require_type(const detail::Node& node, const char* expected) {
  const detail::Node type = node.at("type");
  if (type.string() != expected) type.unsupported(expected);
}

Vocabulary read_vocabulary(const detail::Node& model) {
  const auto entries = model.at("vocab");
  if (!entries.is_object()) entries.wrong("an object of pieces and ids");
  // Ids may have holes, but not so many that a damaged number fills the memory.
  const std::size_t most = 2 * entries.json().size() + 65536;
  std::vector<std::string> pieces;
  for (const auto& [piece, id_json] : entries.json().items()) {
    const detail::Node id(id_json, entries.file(), entries.path() + "[\"" + piece + "\"]");
    const auto index = static_cast<std::size_t>(id.number(most));
    if (index >= pieces.size()) pieces.resize(index + 1);
    if (!pieces[index].empty())
      throw FormatError(
          "two pieces with one id",
          {.file = entries.file(), .field = id.path(), .actual = "also \"" + pieces[index] + "\""});
    pieces[index] = piece;
  }
  return Vocabulary(std::move(pieces), entries.file());
}

void read_model(const detail::Node& model, TokenizerConfig& config) {
  // Early files have no type; a WordPiece model is known by its prefix.
  if (model.find("type") || !model.find("continuing_subword_prefix"))
    require_type(model, "WordPiece");
  config.unk_token = model.string_or("unk_token", config.unk_token);
  config.continuing_subword_prefix =
      model.string_or("continuing_subword_prefix", config.continuing_subword_prefix);
  if (const auto limit = model.find("max_input_chars_per_word"))
    config.max_input_chars_per_word =
        static_cast<std::size_t>(limit->number(std::numeric_limits<std::int64_t>::max()));
}

void read_normalizer(const detail::Node& root, TokenizerConfig& config) {
  const auto normalizer = root.find("normalizer");
  if (!normalizer) {
    config.clean_text = config.handle_chinese_chars = false;
    config.strip_accents = config.lowercase = false;
    return;
  }
  require_type(*normalizer, "BertNormalizer");
  config.clean_text = normalizer->boolean_or("clean_text", true);
  config.handle_chinese_chars = normalizer->boolean_or("handle_chinese_chars", true);
  config.lowercase = normalizer->boolean_or("lowercase", true);
  config.strip_accents = normalizer->boolean_or("strip_accents", config.lowercase);
}

void read_pre_tokenizer(const detail::Node& root) {
  const auto pre_tokenizer = root.find("pre_tokenizer");
  if (!pre_tokenizer)
    throw UnsupportedError("not supported", {.file = root.file(),
                                             .field = "pre_tokenizer",
                                             .expected = "BertPreTokenizer",
                                             .actual = "none"});
  require_type(*pre_tokenizer, "BertPreTokenizer");
}

/// The limit that was in force when the file was saved. Nothing is cut unless the caller asks.
void read_truncation(const detail::Node& root, TokenizerConfig& config) {
  const auto truncation = root.find("truncation");
  if (!truncation) return;
  if (truncation->string_or("direction", "Right") == "Left") config.truncation_side = Side::left;
  if (const auto length = truncation->find("max_length"))
    config.model_max_length = static_cast<std::size_t>(length->number(1'000'000'000));
}

std::vector<TemplatePiece> read_template(const detail::Node& list,
                                         const detail::Node& special_tokens) {
  std::vector<TemplatePiece> pieces;
  for (const detail::Node& element : list.elements()) {
    TemplatePiece piece;
    if (const auto text = element.find("Sequence")) {
      const std::string& which = text->at("id").string();
      if (which != "A" && which != "B") text->at("id").wrong("\"A\" or \"B\"");
      piece.kind =
          which == "A" ? TemplatePiece::Kind::first_text : TemplatePiece::Kind::second_text;
      piece.type_id = text->at("type_id").id();
    } else {
      const detail::Node special = element.at("SpecialToken");
      piece.type_id = special.at("type_id").id();
      const detail::Node token = special_tokens.at(special.at("id").string().c_str());
      for (const detail::Node& id : token.at("ids").elements())
        piece.ids.push_back(id.id());
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

/// Every text once: the reference would repeat or drop a text, and nobody means that.
void check_template(const std::vector<TemplatePiece>& pieces, std::ptrdiff_t seconds,
                    const detail::Node& node) {
  const auto count = [&](TemplatePiece::Kind kind) {
    return std::count_if(pieces.begin(), pieces.end(),
                         [kind](const TemplatePiece& piece) { return piece.kind == kind; });
  };
  if (count(TemplatePiece::Kind::first_text) != 1 ||
      count(TemplatePiece::Kind::second_text) != seconds)
    node.unsupported(seconds == 0 ? "text A once" : "text A and text B once each");
}

void read_post_processor(const detail::Node& root, TokenizerConfig& config) {
  using Kind = TemplatePiece::Kind;
  const auto processor = root.find("post_processor");
  if (!processor) {
    config.single = {{Kind::first_text, {}, 0}};
    config.pair = {{Kind::first_text, {}, 0}, {Kind::second_text, {}, 1}};
    return;
  }
  const detail::Node type = processor->at("type");
  if (type.string() == "TemplateProcessing") {
    const detail::Node special_tokens = processor->at("special_tokens");
    const detail::Node single = processor->at("single"), pair = processor->at("pair");
    config.single = read_template(single, special_tokens);
    config.pair = read_template(pair, special_tokens);
    check_template(config.single, 0, single);
    check_template(config.pair, 1, pair);
  } else if (type.string() == "BertProcessing") {
    const auto id = [&](const char* key) {
      const auto token = processor->at(key).elements();
      if (token.size() != 2) processor->at(key).wrong("a token and its id");
      return token[1].id();
    };
    const std::int32_t cls = id("cls"), sep = id("sep");
    config.single = detail::bert_template(false, cls, sep);
    config.pair = detail::bert_template(true, cls, sep);
  } else {
    type.unsupported("TemplateProcessing or BertProcessing");
  }
}

void read_decoder(const detail::Node& root, TokenizerConfig& config) {
  const auto decoder = root.find("decoder");
  if (!decoder) return;
  require_type(*decoder, "WordPiece");
  config.decoder_prefix = decoder->string_or("prefix", config.decoder_prefix);
  config.decoder_cleanup = decoder->boolean_or("cleanup", config.decoder_cleanup);
}

TokenizerFiles read_tokenizer_json(const detail::Node& root) {
  TokenizerConfig config;
  const detail::Node model = root.at("model");
  read_model(model, config);
  read_normalizer(root, config);
  read_pre_tokenizer(root);
  read_post_processor(root, config);
  read_decoder(root, config);
  read_truncation(root, config);
  Vocabulary vocabulary = read_vocabulary(model);
  if (const auto added = root.find("added_tokens"))
    for (const detail::Node& token : added->elements()) {
      AddedToken added_here = detail::added_token(token, token.at("id").id());
      detail::check_id(added_here, vocabulary.size(), root.file());
      config.added_tokens.push_back(std::move(added_here));
    }
  return {.vocabulary = std::move(vocabulary), .config = std::move(config), .source = root.file()};
}

}  // namespace

TokenizerFiles parse_tokenizer_json(std::string_view json, std::string source) {
  const detail::Json document = detail::parse_json(json, source);
  return read_tokenizer_json(detail::Node(document, std::move(source), ""));
}

}  // namespace klue
