#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/core/detail/json.hpp>
#include <klue/core/error.hpp>
#include <klue/text/detail/added_token_json.hpp>
#include <klue/text/detail/added_tokens.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::detail {
namespace {

/// Special tokens in a template, ids and places. More than any text of a model has room for.
constexpr std::size_t kMostTemplateTokens = 4096;

void require_type(const JsonNode& node, const char* expected) {
  const JsonNode type = node.at("type");
  if (type.string_view() != expected) type.unsupported(expected);
}

/// A part of the pipeline. A sequence of one, which some tools write, is what is in it.
std::optional<JsonNode> find_part(const JsonNode& root, const char* name, const char* list) {
  auto part = root.find(name);
  while (part && part->at("type").string_view() == "Sequence") {
    const auto parts = part->find(list);
    if (!parts || !parts->is_array() || parts->size() != 1) break;
    const JsonNode only = *parts->elements().begin();
    part = only;
  }
  return part;
}

Vocabulary read_vocabulary(const JsonNode& model) {
  const auto entries = model.at("vocab");
  if (!entries.is_object()) entries.wrong("an object of pieces and ids");
  // Ids may have holes, but not so many that a damaged number fills the memory.
  const std::size_t most = 2 * entries.size() + 65536;
  std::vector<std::string> pieces;
  for (const auto& [piece, id] : entries.members()) {
    const auto number = id.natural();
    if (!number || *number > most)
      throw FormatError("wrong value", {.file = id.file(),
                                        .field = "model.vocab[\"" + std::string(piece) + "\"]",
                                        .expected = "a whole number up to " + std::to_string(most),
                                        .actual = id.shown()});
    const auto index = static_cast<std::size_t>(*number);
    if (index >= pieces.size()) pieces.resize(index + 1);
    if (!pieces[index].empty())
      throw FormatError(
          "two pieces with one id",
          {.file = id.file(), .field = id.path(), .actual = "also \"" + pieces[index] + "\""});
    pieces[index] = piece;
  }
  return Vocabulary(std::move(pieces), entries.file());
}

void read_model(const JsonNode& model, TokenizerConfig& config) {
  // Early files have no type; a WordPiece model is known by its prefix.
  if (model.find("type") || !model.find("continuing_subword_prefix"))
    require_type(model, "WordPiece");
  config.unk_token = model.string_or("unk_token", config.unk_token);
  config.continuing_subword_prefix =
      model.string_or("continuing_subword_prefix", config.continuing_subword_prefix);
  if (const auto limit = model.find("max_input_chars_per_word"))
    config.max_input_chars_per_word =
        static_cast<std::size_t>(limit->integer(0, std::numeric_limits<std::int64_t>::max()));
}

void read_normalizer(const JsonNode& root, TokenizerConfig& config) {
  const auto normalizer = find_part(root, "normalizer", "normalizers");
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

void read_pre_tokenizer(const JsonNode& root) {
  const auto pre_tokenizer = find_part(root, "pre_tokenizer", "pretokenizers");
  if (!pre_tokenizer)
    throw UnsupportedError("not supported", {.file = root.file(),
                                             .field = "pre_tokenizer",
                                             .expected = "BertPreTokenizer",
                                             .actual = "none"});
  require_type(*pre_tokenizer, "BertPreTokenizer");
}

/// The limit that was in force when the file was saved. Nothing is cut unless the caller asks.
void read_truncation(const JsonNode& root, TokenizerConfig& config) {
  const auto truncation = root.find("truncation");
  if (!truncation) return;
  if (truncation->string_or("direction", "Right") == "Left")
    config.truncation_side = TruncationSide::left;
  if (const auto length = truncation->find("max_length"))
    config.model_max_length = static_cast<std::size_t>(length->integer(0, 1'000'000'000));
}

std::vector<TemplatePiece> read_template(const JsonNode& list, const JsonNode& special_tokens) {
  std::vector<TemplatePiece> pieces;
  std::size_t tokens = list.size();
  const auto check_size = [&] {
    if (tokens > kMostTemplateTokens)
      list.unsupported("at most " + std::to_string(kMostTemplateTokens) + " tokens");
  };
  check_size();
  for (const JsonNode& element : list.elements()) {
    TemplatePiece piece;
    if (const auto text = element.find("Sequence")) {
      const std::string_view which = text->at("id").string_view();
      if (which != "A" && which != "B") text->at("id").wrong("\"A\" or \"B\"");
      piece.kind =
          which == "A" ? TemplatePiece::Kind::first_text : TemplatePiece::Kind::second_text;
      piece.type_id = text->at("type_id").id();
    } else {
      const JsonNode special = element.at("SpecialToken");
      piece.type_id = special.at("type_id").id();
      const JsonNode token = special_tokens.at(special.at("id").string_view());
      const JsonNode ids = token.at("ids");
      tokens += ids.size();
      check_size();
      for (const JsonNode& id : ids.elements())
        piece.ids.push_back(id.id());
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

/// Every text once: the reference would repeat or drop a text, and nobody means that.
void check_template(const std::vector<TemplatePiece>& pieces, std::ptrdiff_t seconds,
                    const JsonNode& node) {
  const auto count = [&](TemplatePiece::Kind kind) {
    return std::count_if(pieces.begin(), pieces.end(),
                         [kind](const TemplatePiece& piece) { return piece.kind == kind; });
  };
  if (count(TemplatePiece::Kind::first_text) != 1 ||
      count(TemplatePiece::Kind::second_text) != seconds)
    node.unsupported(seconds == 0 ? "text A once" : "text A and text B once each");
}

void read_post_processor(const JsonNode& root, TokenizerConfig& config) {
  using Kind = TemplatePiece::Kind;
  const auto processor = find_part(root, "post_processor", "processors");
  if (!processor) {
    config.single = {{Kind::first_text, {}, 0}};
    config.pair = {{Kind::first_text, {}, 0}, {Kind::second_text, {}, 1}};
    return;
  }
  const JsonNode type = processor->at("type");
  if (type.string_view() == "TemplateProcessing") {
    const JsonNode special_tokens = processor->at("special_tokens");
    const JsonNode single = processor->at("single"), pair = processor->at("pair");
    config.single = read_template(single, special_tokens);
    config.pair = read_template(pair, special_tokens);
    check_template(config.single, 0, single);
    check_template(config.pair, 1, pair);
  } else if (type.string_view() == "BertProcessing") {
    const auto id = [&](const char* key) {
      const JsonNode token = processor->at(key);
      if (!token.is_array() || token.size() != 2) token.wrong("a token and its id");
      const JsonElements elements = token.elements();
      auto element = elements.begin();
      return (*++element).id();
    };
    const std::int32_t cls = id("cls"), sep = id("sep");
    config.single = bert_template(false, cls, sep);
    config.pair = bert_template(true, cls, sep);
  } else {
    type.unsupported("TemplateProcessing or BertProcessing");
  }
}

void read_decoder(const JsonNode& root, TokenizerConfig& config) {
  const auto decoder = find_part(root, "decoder", "decoders");
  if (!decoder) {
    config.decoder_prefix.reset();
    config.decoder_cleanup = false;
    return;
  }
  require_type(*decoder, "WordPiece");
  config.decoder_prefix = decoder->string_or("prefix", "##");
  config.decoder_cleanup = decoder->boolean_or("cleanup", config.decoder_cleanup);
}

/// The piece or added token of an id.
std::string name_of(std::int32_t id, const TokenizerFiles& files) {
  for (const AddedToken& token : files.config.added_tokens)
    if (token.id == id) return token.content;
  const auto index = static_cast<std::size_t>(id);
  return index < files.vocabulary.size() ? files.vocabulary.pieces()[index] : std::string();
}

/// A special token that says in its name what it is for.
std::string special_with(std::string_view word, const TokenizerConfig& config) {
  for (const AddedToken& token : config.added_tokens) {
    std::string lower = token.content;
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (token.special && lower.find(word) != lower.npos) return token.content;
  }
  return {};
}

/// The special tokens of a model that calls them otherwise than BERT, as far as the file shows what
/// they are used for. Files beside it may say more.
void find_renamed(const JsonNode& root, TokenizerFiles& files) {
  TokenizerConfig& config = files.config;
  const auto rename = [&](std::string& name, auto find) {
    const auto has_name = [&name](const AddedToken& token) { return token.content == name; };
    if (files.vocabulary.find(name) || std::ranges::any_of(config.added_tokens, has_name)) return;
    if (std::string found = find(); !found.empty()) name = std::move(found);
  };
  // Of the special tokens around a single text: the first before it, and the first behind it.
  const auto around = [&](bool behind) -> std::string {
    bool seen = false;
    for (const TemplatePiece& piece : config.single) {
      if (piece.kind != TemplatePiece::Kind::special)
        seen = true;
      else if (seen == behind && !piece.ids.empty())
        return name_of(piece.ids.front(), files);
    }
    return {};
  };
  rename(config.cls_token, [&] { return around(false); });
  rename(config.sep_token, [&] { return around(true); });
  rename(config.pad_token, [&] {
    const auto padding = root.find("padding");
    return padding ? padding->string_or("pad_token", {}) : special_with("pad", config);
  });
  rename(config.mask_token, [&] { return special_with("mask", config); });
}

TokenizerFiles read_tokenizer_json(const JsonNode& root) {
  TokenizerConfig config;
  const JsonNode model = root.at("model");
  read_model(model, config);
  read_normalizer(root, config);
  read_pre_tokenizer(root);
  read_post_processor(root, config);
  read_decoder(root, config);
  read_truncation(root, config);
  Vocabulary vocabulary = read_vocabulary(model);
  if (const auto added = root.find("added_tokens"))
    for (const JsonNode& token : added->elements())
      config.added_tokens.push_back(added_token(token, token.at("id").id()));
  number_added_tokens(config.added_tokens, vocabulary, root.file());
  TokenizerFiles files{
      .vocabulary = std::move(vocabulary), .config = std::move(config), .source = root.file()};
  find_renamed(root, files);
  return files;
}

}  // namespace

TokenizerFiles parse_tokenizer_json(std::string_view json, std::string source) {
  return read_tokenizer_json(parse_json(json, std::move(source)));
}

}  // namespace klue::detail
