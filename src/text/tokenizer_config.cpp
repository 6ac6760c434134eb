#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>
#include <klue/core/mapped_file.hpp>
#include <klue/text/tokenizer_config.hpp>

namespace klue {
namespace {

using Json = nlohmann::json;

constexpr const char* tokenizer_json = "tokenizer.json";

/// A JSON value with the way to it, so that every error names both.
class Node {
 public:
  Node(const Json& value, std::string file, std::string path)
      : value_(&value), file_(std::move(file)), path_(std::move(path)) {}

  /// A member, none where it is absent or null.
  std::optional<Node> find(const char* key) const {
    require(value_->is_object(), "an object");
    const auto member = value_->find(key);
    if (member == value_->end() || member->is_null()) return std::nullopt;
    return Node(*member, file_, path_.empty() ? key : path_ + "." + key);
  }
  Node at(const char* key) const {
    if (auto member = find(key)) return *std::move(member);
    throw FormatError("missing", {.file = file_, .field = path_.empty() ? key : path_ + "." + key});
  }

  bool is_object() const { return value_->is_object(); }
  bool is_string() const { return value_->is_string(); }
  const Json& json() const { return *value_; }
  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }

  const std::string& string() const {
    require(value_->is_string(), "a string");
    return value_->get_ref<const std::string&>();
  }
  bool boolean() const {
    require(value_->is_boolean(), "true or false");
    return value_->get<bool>();
  }
  /// A whole number in 0…most.
  std::uint64_t number(std::uint64_t most) const {
    const bool fits = value_->is_number_unsigned() && value_->get<std::uint64_t>() <= most;
    require(fits, "a whole number up to " + std::to_string(most));
    return value_->get<std::uint64_t>();
  }
  std::int32_t id() const {
    return static_cast<std::int32_t>(number(std::numeric_limits<std::int32_t>::max() - 1));
  }
  std::vector<Node> elements() const {
    require(value_->is_array(), "an array");
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < value_->size(); ++i)
      nodes.emplace_back((*value_)[i], file_, path_ + "[" + std::to_string(i) + "]");
    return nodes;
  }
  std::vector<std::pair<std::string, Node>> members() const {
    require(value_->is_object(), "an object");
    std::vector<std::pair<std::string, Node>> nodes;
    for (const auto& [key, value] : value_->items())
      nodes.emplace_back(key, Node(value, file_, path_ + "." + key));
    return nodes;
  }

  /// The member's value where it is there, else `fallback`.
  bool boolean_or(const char* key, bool fallback) const {
    const auto member = find(key);
    return member ? member->boolean() : fallback;
  }
  std::string string_or(const char* key, std::string fallback) const {
    const auto member = find(key);
    return member ? member->string() : std::move(fallback);
  }

  [[noreturn]] void unsupported(const std::string& expected) const {
    throw UnsupportedError(
        "not supported", {.file = file_, .field = path_, .expected = expected, .actual = shown()});
  }
  [[noreturn]] void wrong(const std::string& expected) const {
    throw FormatError("wrong value",
                      {.file = file_, .field = path_, .expected = expected, .actual = shown()});
  }

 private:
  void require(bool condition, const std::string& expected) const {
    if (!condition) wrong(expected);
  }
  std::string shown() const {
    if (value_->is_structured()) return value_->is_array() ? "an array" : "an object";
    return value_->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80);
  }

  const Json* value_;
  std::string file_, path_;
};

Json parse_json(std::string_view text, const std::string& file) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw FormatError("not valid JSON", {.file = file, .actual = error.what()});
  }
}

/// The file's text; none where there is no such file.
std::optional<std::string> read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// Files name a special token by its text or by an object with flags.
std::string token_text(const Node& node) {
  return node.is_object() ? node.at("content").string() : node.string();
}

AddedToken added_token(const Node& node, std::int32_t id) {
  const bool special = node.boolean_or("special", false);
  return {.content = node.at("content").string(),
          .id = id,
          .single_word = node.boolean_or("single_word", false),
          .lstrip = node.boolean_or("lstrip", false),
          .rstrip = node.boolean_or("rstrip", false),
          .normalized = node.boolean_or("normalized", !special),
          .special = special};
}

/// `size_limit` keeps a damaged id from asking for gigabytes of holes.
void check_id(const AddedToken& token, std::size_t vocabulary_size, const std::string& file) {
  if (static_cast<std::size_t>(token.id) > vocabulary_size + 1'000'000)
    throw FormatError("an id far outside the vocabulary",
                      {.file = file,
                       .field = "added token \"" + token.content + "\"",
                       .expected = "near " + std::to_string(vocabulary_size),
                       .actual = std::to_string(token.id)});
}

// ---- tokenizer.json ----

void require_type(const Node& node, const char* expected) {
  const Node type = node.at("type");
  if (type.string() != expected) type.unsupported(expected);
}

Vocabulary read_vocabulary(const Node& model) {
  const auto entries = model.at("vocab");
  if (!entries.is_object()) entries.wrong("an object of pieces and ids");
  // Ids may have holes, but not so many that a damaged number fills the memory.
  const std::size_t most = 2 * entries.json().size() + 65536;
  std::vector<std::string> pieces;
  for (const auto& [piece, id_json] : entries.json().items()) {
    const Node id(id_json, entries.file(), entries.path() + "[\"" + piece + "\"]");
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

void read_model(const Node& model, TokenizerConfig& config) {
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

void read_normalizer(const Node& root, TokenizerConfig& config) {
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

void read_pre_tokenizer(const Node& root) {
  require_type(root.at("pre_tokenizer"), "BertPreTokenizer");
}

std::vector<TemplatePiece> bert_template(bool pair, std::int32_t cls, std::int32_t sep) {
  using Kind = TemplatePiece::Kind;
  std::vector<TemplatePiece> pieces{
      {Kind::special, {cls}, 0}, {Kind::first_text, {}, 0}, {Kind::special, {sep}, 0}};
  if (pair) {
    pieces.push_back({Kind::second_text, {}, 1});
    pieces.push_back({Kind::special, {sep}, 1});
  }
  return pieces;
}

std::vector<TemplatePiece> read_template(const Node& list, const Node& special_tokens) {
  std::vector<TemplatePiece> pieces;
  for (const Node& element : list.elements()) {
    TemplatePiece piece;
    if (const auto text = element.find("Sequence")) {
      const std::string& which = text->at("id").string();
      if (which != "A" && which != "B") text->at("id").wrong("\"A\" or \"B\"");
      piece.kind =
          which == "A" ? TemplatePiece::Kind::first_text : TemplatePiece::Kind::second_text;
      piece.type_id = text->at("type_id").id();
    } else {
      const Node special = element.at("SpecialToken");
      piece.type_id = special.at("type_id").id();
      const Node token = special_tokens.at(special.at("id").string().c_str());
      for (const Node& id : token.at("ids").elements())
        piece.ids.push_back(id.id());
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

/// Every text once: the reference would repeat or drop a text, and nobody means that.
void check_template(const std::vector<TemplatePiece>& pieces, std::ptrdiff_t seconds,
                    const Node& node) {
  const auto count = [&](TemplatePiece::Kind kind) {
    return std::count_if(pieces.begin(), pieces.end(),
                         [kind](const TemplatePiece& piece) { return piece.kind == kind; });
  };
  if (count(TemplatePiece::Kind::first_text) != 1 ||
      count(TemplatePiece::Kind::second_text) != seconds)
    node.unsupported(seconds == 0 ? "text A once" : "text A and text B once each");
}

void read_post_processor(const Node& root, TokenizerConfig& config) {
  using Kind = TemplatePiece::Kind;
  const auto processor = root.find("post_processor");
  if (!processor) {
    config.single = {{Kind::first_text, {}, 0}};
    config.pair = {{Kind::first_text, {}, 0}, {Kind::second_text, {}, 1}};
    return;
  }
  const Node type = processor->at("type");
  if (type.string() == "TemplateProcessing") {
    const Node special_tokens = processor->at("special_tokens");
    const Node single = processor->at("single"), pair = processor->at("pair");
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
    config.single = bert_template(false, cls, sep);
    config.pair = bert_template(true, cls, sep);
  } else {
    type.unsupported("TemplateProcessing or BertProcessing");
  }
}

void read_decoder(const Node& root, TokenizerConfig& config) {
  const auto decoder = root.find("decoder");
  if (!decoder) return;
  require_type(*decoder, "WordPiece");
  config.decoder_prefix = decoder->string_or("prefix", config.decoder_prefix);
  config.decoder_cleanup = decoder->boolean_or("cleanup", config.decoder_cleanup);
}

TokenizerFiles read_tokenizer_json(const Node& root) {
  TokenizerConfig config;
  const Node model = root.at("model");
  read_model(model, config);
  read_normalizer(root, config);
  read_pre_tokenizer(root);
  read_post_processor(root, config);
  read_decoder(root, config);
  Vocabulary vocabulary = read_vocabulary(model);
  if (const auto added = root.find("added_tokens"))
    for (const Node& token : added->elements()) {
      config.added_tokens.push_back(added_token(token, token.at("id").id()));
      check_id(config.added_tokens.back(), vocabulary.size(), root.file());
    }
  return {.vocabulary = std::move(vocabulary), .config = std::move(config), .source = root.file()};
}

// ---- the files around it ----

struct SpecialName {
  const char* key;
  std::string TokenizerConfig::*member;
};
constexpr SpecialName special_names[] = {{"cls_token", &TokenizerConfig::cls_token},
                                         {"sep_token", &TokenizerConfig::sep_token},
                                         {"pad_token", &TokenizerConfig::pad_token},
                                         {"mask_token", &TokenizerConfig::mask_token}};

void read_special_names(const Node& root, TokenizerConfig& config) {
  for (const SpecialName& name : special_names)
    if (const auto token = root.find(name.key)) config.*name.member = token_text(*token);
}

void read_max_length(const Node& root, TokenizerConfig& config) {
  // "No limit" is written as a huge number, 10^30 in most files.
  const auto length = root.find("model_max_length");
  if (!length || !length->json().is_number_unsigned()) return;
  const auto value = length->json().get<std::uint64_t>();
  if (value > 0 && value < 1'000'000'000) config.model_max_length = static_cast<std::size_t>(value);
}

void add_token(TokenizerConfig& config, AddedToken token) {
  for (AddedToken& known : config.added_tokens)
    if (known.content == token.content) {
      known = std::move(token);
      return;
    }
  config.added_tokens.push_back(std::move(token));
}

/// Special tokens are found in text whether or not a file lists them as added.
void add_special_token(TokenizerConfig& config, const Vocabulary& vocabulary,
                       const std::string& text) {
  const auto id = vocabulary.find(text);
  const auto known = [&](const AddedToken& token) { return token.content == text; };
  if (!id || std::any_of(config.added_tokens.begin(), config.added_tokens.end(), known)) return;
  config.added_tokens.push_back({.content = text, .id = *id, .normalized = false, .special = true});
}

std::int32_t parse_id(const std::string& key, const Node& node) {
  std::uint64_t id = 0;
  for (const char digit : key) {
    if (digit < '0' || digit > '9' || id > 100'000'000) node.wrong("a token id as its name");
    id = id * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return static_cast<std::int32_t>(id);
}

/// tokenizer_config.json beside a vocab.txt, as Hugging Face's BertTokenizerFast reads it.
void read_bert_options(const Node& root, const Vocabulary& vocabulary, TokenizerConfig& config) {
  config.lowercase = root.boolean_or("do_lower_case", false);
  config.strip_accents = root.boolean_or("strip_accents", config.lowercase);
  config.handle_chinese_chars = root.boolean_or("tokenize_chinese_chars", true);
  if (!root.boolean_or("do_basic_tokenize", true)) root.at("do_basic_tokenize").unsupported("true");
  config.unk_token = root.find("unk_token") ? token_text(root.at("unk_token")) : config.unk_token;
  if (const auto added = root.find("added_tokens_decoder"))
    for (const auto& [key, node] : added->members()) {
      add_token(config, added_token(node, parse_id(key, node)));
      check_id(config.added_tokens.back(), vocabulary.size(), root.file());
    }
}

void read_additional_special_tokens(const Node& root, const Vocabulary& vocabulary,
                                    TokenizerConfig& config) {
  if (const auto more = root.find("additional_special_tokens"))
    for (const Node& token : more->elements())
      add_special_token(config, vocabulary, token_text(token));
}

void read_legacy_added_tokens(const Node& root, const Vocabulary& vocabulary,
                              TokenizerConfig& config) {
  for (const auto& [content, id] : root.members()) {
    add_token(config, {.content = content, .id = id.id()});
    check_id(config.added_tokens.back(), vocabulary.size(), root.file());
  }
}

/// A vocab.txt beside a tokenizer.json is not needed, but must not contradict it.
void check_agreement(const Vocabulary& vocabulary, const std::string& vocab_txt,
                     const std::filesystem::path& path) {
  const Vocabulary lines = Vocabulary::parse(vocab_txt, path.string());
  for (std::size_t id = 0; id < lines.size(); ++id) {
    const std::string& line = lines.pieces()[id];
    const std::string other = id < vocabulary.size() ? vocabulary.pieces()[id] : std::string();
    if (line != other && !line.empty())
      throw FormatError(
          "vocab.txt and tokenizer.json disagree; remove the one that is not this model's",
          {.file = path.string(),
           .field = "line " + std::to_string(id + 1),
           .expected = "\"" + other + "\" as in tokenizer.json",
           .actual = "\"" + line + "\""});
  }
}

TokenizerFiles read_vocab_txt(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "vocab.txt";
  TokenizerFiles files{.vocabulary = Vocabulary::read(path), .config = {}, .source = path.string()};
  return files;
}

}  // namespace

TokenizerFiles parse_tokenizer_json(std::string_view json, std::string source) {
  const Json document = parse_json(json, source);
  return read_tokenizer_json(Node(document, std::move(source), ""));
}

TokenizerFiles read_tokenizer_files(const std::filesystem::path& directory) {
  const auto json_path = directory / tokenizer_json, vocab_path = directory / "vocab.txt";
  const auto json_text = read_text(json_path);
  const auto vocab_text = read_text(vocab_path);
  if (!json_text && !vocab_text)
    throw IoError("no tokenizer in the directory",
                  {.file = directory.string(), .expected = "tokenizer.json or vocab.txt"});

  TokenizerFiles files =
      json_text ? parse_tokenizer_json(*json_text, json_path.string()) : read_vocab_txt(directory);
  if (json_text && vocab_text) check_agreement(files.vocabulary, *vocab_text, vocab_path);

  TokenizerConfig& config = files.config;
  // Later files decide: tokenizer_config.json is the newer of the two that name special tokens.
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const auto text = read_text(directory / name);
    if (!text) continue;
    const Json document = parse_json(*text, (directory / name).string());
    const Node root(document, (directory / name).string(), "");
    read_special_names(root, config);
    read_max_length(root, config);
    if (json_text) continue;
    if (const auto unk = root.find("unk_token")) config.unk_token = token_text(*unk);
    if (std::string_view(name) == "tokenizer_config.json")
      read_bert_options(root, files.vocabulary, config);
    read_additional_special_tokens(root, files.vocabulary, config);
  }
  if (json_text) return files;

  if (const auto text = read_text(directory / "added_tokens.json")) {
    const Json document = parse_json(*text, (directory / "added_tokens.json").string());
    read_legacy_added_tokens(Node(document, (directory / "added_tokens.json").string(), ""),
                             files.vocabulary, config);
  }
  for (const std::string* token : {&config.unk_token, &config.sep_token, &config.pad_token,
                                   &config.cls_token, &config.mask_token})
    add_special_token(config, files.vocabulary, *token);
  const auto cls = files.vocabulary.find(config.cls_token);
  const auto sep = files.vocabulary.find(config.sep_token);
  if (cls && sep) {
    config.single = bert_template(false, *cls, *sep);
    config.pair = bert_template(true, *cls, *sep);
  }
  return files;
}

}  // namespace klue
