#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>
#include <klue/text/detail/added_token_json.hpp>
#include <klue/text/detail/json_node.hpp>
#include <klue/text/tokenizer_config.hpp>

namespace klue {
namespace {

/// The file's text; none where there is no such file.
std::optional<std::string> read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  const detail::MappedFile file(path);
  const auto bytes = file.bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

struct SpecialName {
  const char* key;
  std::string TokenizerConfig::*member;
};
constexpr SpecialName special_names[] = {{"cls_token", &TokenizerConfig::cls_token},
                                         {"sep_token", &TokenizerConfig::sep_token},
                                         {"pad_token", &TokenizerConfig::pad_token},
                                         {"mask_token", &TokenizerConfig::mask_token}};

void read_special_names(const detail::Node& root, TokenizerConfig& config) {
  for (const SpecialName& name : special_names)
    if (const auto token = root.find(name.key)) config.*name.member = detail::token_text(*token);
}

void read_limits(const detail::Node& root, TokenizerConfig& config) {
  if (root.string_or("truncation_side", "right") == "left") config.truncation_side = Side::left;
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

std::int32_t parse_id(const std::string& key, const detail::Node& node) {
  std::uint64_t id = 0;
  for (const char digit : key) {
    if (digit < '0' || digit > '9' || id > 100'000'000) node.wrong("a token id as its name");
    id = id * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return static_cast<std::int32_t>(id);
}

/// tokenizer_config.json beside a vocab.txt, as Hugging Face's BertTokenizerFast reads it.
void read_bert_options(const detail::Node& root, const Vocabulary& vocabulary,
                       TokenizerConfig& config) {
  config.lowercase = root.boolean_or("do_lower_case", false);
  config.strip_accents = root.boolean_or("strip_accents", config.lowercase);
  config.handle_chinese_chars = root.boolean_or("tokenize_chinese_chars", true);
  if (!root.boolean_or("do_basic_tokenize", true)) root.at("do_basic_tokenize").unsupported("true");
  if (const auto added = root.find("added_tokens_decoder"))
    for (const auto& [key, node] : added->members()) {
      AddedToken token = detail::added_token(node, parse_id(key, node));
      detail::check_id(token, vocabulary.size(), root.file());
      add_token(config, std::move(token));
    }
}

void read_additional_special_tokens(const detail::Node& root, const Vocabulary& vocabulary,
                                    TokenizerConfig& config) {
  if (const auto more = root.find("additional_special_tokens"))
    for (const detail::Node& token : more->elements())
      add_special_token(config, vocabulary, detail::token_text(token));
}

void read_legacy_added_tokens(const detail::Node& root, const Vocabulary& vocabulary,
                              TokenizerConfig& config) {
  for (const auto& [content, id] : root.members()) {
    AddedToken token{.content = content, .id = id.id()};
    detail::check_id(token, vocabulary.size(), root.file());
    add_token(config, std::move(token));
  }
}

/// A vocab.txt beside a tokenizer.json is not needed, but must not contradict it.
void check_agreement(const TokenizerFiles& files, std::string_view vocab_txt,
                     const std::filesystem::path& path) {
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

/// Calls `read(root)` with the document of a file that need not be there.
template <class Read>
void with_json(const std::filesystem::path& path, Read read) {
  const auto text = read_text(path);
  if (!text) return;
  const detail::Json document = detail::parse_json(*text, path.string());
  read(detail::Node(document, path.string(), ""));
}

std::optional<std::int32_t> id_of(const TokenizerFiles& files, const std::string& token) {
  for (const AddedToken& added : files.config.added_tokens)
    if (added.content == token) return added.id;
  return files.vocabulary.find(token);
}

/// What no file has to say: the special tokens by their usual names, and the usual templates.
void complete_bert(TokenizerFiles& files) {
  TokenizerConfig& config = files.config;
  for (const std::string* token : {&config.unk_token, &config.sep_token, &config.pad_token,
                                   &config.cls_token, &config.mask_token})
    add_special_token(config, files.vocabulary, *token);

  // A missing one is reported by the tokenizer, with its role.
  const auto cls = id_of(files, config.cls_token), sep = id_of(files, config.sep_token);
  config.single = detail::bert_template(false, cls.value_or(0), sep.value_or(0));
  config.pair = detail::bert_template(true, cls.value_or(0), sep.value_or(0));
}

/// The configuration of a directory without tokenizer.json.
void configure_bert(const std::filesystem::path& directory, TokenizerFiles& files) {
  TokenizerConfig& config = files.config;
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"})
    with_json(directory / name, [&](const detail::Node& root) {
      if (const auto unk = root.find("unk_token")) config.unk_token = detail::token_text(*unk);
    });
  with_json(directory / "tokenizer_config.json",
            [&](const detail::Node& root) { read_bert_options(root, files.vocabulary, config); });
  with_json(directory / "added_tokens.json", [&](const detail::Node& root) {
    read_legacy_added_tokens(root, files.vocabulary, config);
  });
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"})
    with_json(directory / name, [&](const detail::Node& root) {
      read_additional_special_tokens(root, files.vocabulary, config);
    });
  complete_bert(files);
}

}  // namespace

TokenizerFiles parse_vocabulary_file(std::string_view vocab_txt, std::string source) {
  TokenizerFiles files{
      .vocabulary = Vocabulary::parse(vocab_txt, source), .config = {}, .source = source};
  complete_bert(files);
  return files;
}

TokenizerFiles read_tokenizer_files(const std::filesystem::path& directory) {
  const auto json_path = directory / "tokenizer.json", vocab_path = directory / "vocab.txt";
  const auto json_text = read_text(json_path), vocab_text = read_text(vocab_path);
  if (!json_text && !vocab_text)
    throw IoError("no tokenizer in the directory",
                  {.file = directory.string(), .expected = "tokenizer.json or vocab.txt"});

  TokenizerFiles files =
      json_text ? parse_tokenizer_json(*json_text, json_path.string())
                : TokenizerFiles{.vocabulary = Vocabulary::parse(*vocab_text, vocab_path.string()),
                                 .config = {},
                                 .source = vocab_path.string()};
  if (json_text && vocab_text) check_agreement(files, *vocab_text, vocab_path);

  // The later file decides: it is the newer of the two that name special tokens.
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"})
    with_json(directory / name, [&](const detail::Node& root) {
      read_special_names(root, files.config);
      read_limits(root, files.config);
    });
  if (!json_text) configure_bert(directory, files);
  return files;
}

}  // namespace klue
