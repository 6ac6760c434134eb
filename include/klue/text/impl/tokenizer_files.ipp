#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <klue/core/detail/json.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>
#include <klue/text/detail/added_token_json.hpp>
#include <klue/text/detail/added_tokens.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::detail {
namespace {

/// The file; none where there is no such file.
std::optional<MappedFile> map_if_there(const Place& path) {
  if (!file_exists(path)) return std::nullopt;
  return map_text_file(path);
}

/// The documents beside a vocabulary, each of which may be absent.
struct JsonBeside {
  JsonBeside() = default;
  explicit JsonBeside(const Place& directory)
      : special_tokens_map(read(directory / "special_tokens_map.json")),
        tokenizer_config(read(directory / "tokenizer_config.json")),
        added_tokens(read(directory / "added_tokens.json")) {}

  /// The first two in the order in which the later decides: it is the newer of those that name
  /// special tokens.
  std::vector<JsonNode> naming() const {
    std::vector<JsonNode> documents;
    for (const auto* document : {&special_tokens_map, &tokenizer_config})
      if (*document) documents.push_back(**document);
    return documents;
  }

  std::optional<JsonNode> special_tokens_map, tokenizer_config, added_tokens;

 private:
  static std::optional<JsonNode> read(const Place& path) {
    const auto file = map_if_there(path);
    if (!file) return std::nullopt;
    JsonNode root = parse_json(file->text(), path.string());
    if (!root.is_object()) root.wrong("an object");
    return root;
  }
};

void read_limits(const JsonNode& root, TokenizerConfig& config) {
  if (root.string_or("truncation_side", "right") == "left")
    config.truncation_side = TruncationSide::left;
  // "No limit" is written as a huge number, 10^30 in most files.
  const auto length = root.find("model_max_length");
  const auto value = length ? length->natural() : std::nullopt;
  if (value && *value > 0 && *value < 1'000'000'000)
    config.model_max_length = static_cast<std::size_t>(*value);
}

std::int32_t parse_id(std::string_view key, const JsonNode& node) {
  std::uint64_t id = 0;
  for (const char digit : key) {
    if (digit < '0' || digit > '9' || id > 100'000'000) node.wrong("a token id as its name");
    id = id * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return static_cast<std::int32_t>(id);
}

/// tokenizer_config.json beside a vocab.txt, as Hugging Face's BertTokenizerFast reads it.
void read_bert_options(const JsonNode& root, TokenizerConfig& config) {
  config.lowercase = root.boolean_or("do_lower_case", false);
  config.strip_accents = root.boolean_or("strip_accents", config.lowercase);
  config.handle_chinese_chars = root.boolean_or("tokenize_chinese_chars", true);
  if (!root.boolean_or("do_basic_tokenize", true)) root.at("do_basic_tokenize").unsupported("true");
}

/// Special tokens as the files name them, the usual ones included.
struct NamedSpecials {
  struct Additional {
    AddedToken token;
    bool has_flags;  // written as an object
  };
  std::vector<AddedToken> by_role;     // as the last of the files has it
  std::vector<Additional> additional;  // in the order of the files
  std::unordered_set<std::string> named_by_files, all;

  NamedSpecials(const std::vector<JsonNode>& documents, const TokenizerConfig& config) {
    for (const SpecialRole& role : kSpecialRoles) {
      by_role.push_back({.content = config.*role.name, .normalized = false, .special = true});
      add_role(documents, role.key, by_role.back());
    }
    for (const char* key : {"bos_token", "eos_token"}) {
      AddedToken token;
      if (add_role(documents, key, token)) by_role.push_back(token);
    }
    for (const JsonNode& document : documents)
      if (const auto more = document.find("additional_special_tokens"))
        for (const JsonNode& token : more->elements()) {
          additional.push_back({detail::special_token(token), token.is_object()});
          named_by_files.insert(additional.back().token.content);
        }
    all = named_by_files;
    for (const AddedToken& token : by_role)
      all.insert(token.content);
  }

 private:
  bool add_role(const std::vector<JsonNode>& documents, const char* key, AddedToken& token) {
    bool found = false;
    for (const JsonNode& document : documents)
      if (const auto named = document.find(key)) {
        token = special_token(*named);
        found = true;
      }
    if (found) named_by_files.insert(token.content);
    return found;
  }
};

/// What a directory lists as added, ascending by id.
std::vector<AddedToken> listed_tokens(const JsonBeside& beside, const NamedSpecials& specials) {
  std::vector<AddedToken> tokens;
  const auto decoder = beside.tokenizer_config
                           ? beside.tokenizer_config->find("added_tokens_decoder")
                           : std::nullopt;
  if (decoder) {
    for (const auto& [key, node] : decoder->members())
      tokens.push_back(added_token(node, parse_id(key, node)));
  } else if (beside.added_tokens) {
    for (const auto& [content, id] : beside.added_tokens->members()) {
      const bool special = specials.named_by_files.contains(std::string(content));
      tokens.push_back({.content = std::string(content),
                        .id = id.id(),
                        .normalized = !special,
                        .special = special});
    }
  }
  std::ranges::sort(tokens, [](const AddedToken& a, const AddedToken& b) {
    return a.id != b.id ? a.id < b.id : a.content < b.content;
  });
  return tokens;
}

/// Adds the tokens that BertTokenizerFast adds, in its order: those that are listed, those with a
/// role, further special ones. All that have a role or are named as special are special, and are
/// found in text whether or not a file lists them as added.
void add_tokens(const JsonBeside& beside, TokenizerFiles& files) {
  const NamedSpecials specials(beside.naming(), files.config);
  std::vector<AddedToken>& added = files.config.added_tokens = listed_tokens(beside, specials);
  std::unordered_set<std::string> contents;
  for (AddedToken& token : added) {
    contents.insert(token.content);
    token.special = token.special || specials.all.contains(token.content);
  }
  // An id says nothing yet where the vocabulary does not have the token.
  const auto end = static_cast<std::int32_t>(files.vocabulary.size());
  const auto put = [&](AddedToken token) {
    token.id = files.vocabulary.find(token.content).value_or(end);
    added.push_back(std::move(token));
  };
  for (const AddedToken& token : specials.by_role)
    if (files.vocabulary.find(token.content) && contents.insert(token.content).second) put(token);
  for (const auto& [token, has_flags] : specials.additional)
    if (contents.insert(token.content).second || has_flags) put(token);
  number_added_tokens(added, files.vocabulary, files.source);
}

/// The usual templates.
void add_templates(TokenizerFiles& files) {
  TokenizerConfig& config = files.config;
  const auto id_of = [&files](const std::string& name) -> std::int32_t {
    for (const AddedToken& token : files.config.added_tokens)
      if (token.content == name) return token.id;
    // A missing one is reported by the tokenizer, with its role.
    return files.vocabulary.find(name).value_or(0);
  };
  const std::int32_t cls = id_of(config.cls_token), sep = id_of(config.sep_token);
  config.single = bert_template(false, cls, sep);
  config.pair = bert_template(true, cls, sep);
}

std::string quoted_flag(const char* name, bool value) {
  return std::string(name) + (value ? ": true" : ": false");
}

/// A vocab.txt beside a tokenizer.json is not needed, but must not contradict it.
void check_vocab_txt(const TokenizerFiles& files, std::string_view vocab_txt, const Place& path) {
  const Vocabulary lines = Vocabulary::parse(vocab_txt, path.string());
  std::vector<std::string> expected = files.vocabulary.pieces();
  expected.resize(std::max(expected.size(), lines.size()));
  for (const AddedToken& token : files.config.added_tokens)
    if (const auto id = static_cast<std::size_t>(token.id); id < expected.size())
      expected[id] = token.content;
  for (std::size_t id = 0; id < lines.size(); ++id) {
    const std::string& line = lines.pieces()[id];
    if (line != expected[id] && !line.empty())
      throw FormatError(
          "vocab.txt and tokenizer.json disagree; remove the one that is not this model's",
          {.file = path.string(),
           .field = "line " + std::to_string(id + 1),
           .expected = "\"" + expected[id] + "\" as in tokenizer.json",
           .actual = "\"" + line + "\""});
  }
}

/// Nor must a tokenizer_config.json: Hugging Face's own classes follow one or the other.
void check_options(const JsonNode& root, const TokenizerConfig& config) {
  struct Option {
    const char *key, *key_there;
    bool there;
  };
  for (const Option& option :
       {Option{"do_lower_case", "lowercase", config.lowercase},
        Option{"strip_accents", "strip_accents", config.strip_accents},
        Option{"tokenize_chinese_chars", "handle_chinese_chars", config.handle_chinese_chars}}) {
    const auto here = root.find(option.key);
    if (here && here->boolean() != option.there)
      throw FormatError(
          "tokenizer_config.json and tokenizer.json disagree; correct the one that is wrong",
          {.file = root.file(),
           .field = option.key,
           .expected = quoted_flag(option.key_there, option.there) + " as in tokenizer.json",
           .actual = here->shown()});
  }
}

}  // namespace

TokenizerFiles parse_vocabulary_file(std::string_view vocab_txt, std::string source) {
  TokenizerFiles files{
      .vocabulary = Vocabulary::parse(vocab_txt, source), .config = {}, .source = source};
  add_tokens(JsonBeside(), files);
  add_templates(files);
  return files;
}

TokenizerFiles read_tokenizer_files(const Place& directory) {
  const auto json_path = directory / "tokenizer.json", vocab_path = directory / "vocab.txt";
  const auto json = map_if_there(json_path), vocab = map_if_there(vocab_path);
  if (!json && !vocab)
    throw IoError("no tokenizer in the directory",
                  {.file = directory.string(), .expected = "tokenizer.json or vocab.txt"});

  TokenizerFiles files =
      json ? parse_tokenizer_json(json->text(), json_path.string())
           : TokenizerFiles{.vocabulary = Vocabulary::parse(vocab->text(), vocab_path.string()),
                            .config = {},
                            .source = vocab_path.string()};
  if (json && vocab) check_vocab_txt(files, vocab->text(), vocab_path);

  const JsonBeside beside(directory);
  for (const JsonNode& document : beside.naming()) {
    for (const SpecialRole& role : kSpecialRoles)
      // The unknown token is the model's own, which tokenizer.json has.
      if (!json || role.name != &TokenizerConfig::unk_token)
        if (const auto token = document.find(role.key))
          files.config.*role.name = special_token(*token).content;
    read_limits(document, files.config);
  }
  if (json) {
    if (beside.tokenizer_config) check_options(*beside.tokenizer_config, files.config);
  } else {
    if (beside.tokenizer_config) read_bert_options(*beside.tokenizer_config, files.config);
    add_tokens(beside, files);
    add_templates(files);
  }
  return files;
}

}  // namespace klue::detail
