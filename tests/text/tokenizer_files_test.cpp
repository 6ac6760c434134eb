#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <klue/core/error.hpp>
#include <klue/text/tokenizer.hpp>

#include "shared_data.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A model directory for one test.
class Directory {
 public:
  Directory()
      : path_(fs::temp_directory_path() / ("klue_tokenizer_files_" + std::to_string(::getpid()) +
                                           "_" + std::to_string(++count_))) {
    fs::create_directories(path_);
  }
  ~Directory() { fs::remove_all(path_); }

  Directory& write(const char* name, const std::string& text) {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return *this;
  }
  const fs::path& path() const { return path_; }

 private:
  static inline int count_ = 0;
  fs::path path_;
};

const std::string vocab_txt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n가\n##나\nA\n##B\n大\n##\n";

Json small_json() {
  return Json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [
      {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 4, "content": "[MASK]", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": false},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 7,
      "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "가": 5, "##나": 6, "A": 7, "##B": 8, "大": 9, "##": 10}}
  })");
}

/// What goes wrong when the document is changed so.
template <class ErrorType>
std::string error_after(const std::function<void(Json&)>& change) {
  Json json = small_json();
  change(json);
  try {
    Tokenizer tokenizer(parse_tokenizer_json(json.dump(), "m/tokenizer.json"));
  } catch (const ErrorType& error) {
    return error.what();
  } catch (const Error& error) {
    return std::string("another error: ") + error.what();
  }
  return "no error";
}

TEST(TokenizerJsonTest, ReadsTheConfiguration) {
  const TokenizerFiles files = parse_tokenizer_json(small_json().dump());
  EXPECT_EQ(files.vocabulary.size(), 11u);
  EXPECT_TRUE(files.config.clean_text);
  EXPECT_FALSE(files.config.lowercase);
  EXPECT_FALSE(files.config.strip_accents);
  EXPECT_EQ(files.config.max_input_chars_per_word, 7u);
  EXPECT_FALSE(files.config.decoder_cleanup);
  ASSERT_EQ(files.config.added_tokens.size(), 2u);
  EXPECT_EQ(
      files.config.added_tokens[1],
      (AddedToken{
          .content = "[MASK]", .id = 4, .lstrip = true, .normalized = false, .special = true}));
  ASSERT_EQ(files.config.pair.size(), 5u);
  EXPECT_THAT(files.config.pair[0].ids, ElementsAre(2));
  EXPECT_EQ(files.config.pair[3].type_id, 1);
}

TEST(TokenizerJsonTest, StripAccentsFollowsLowerCaseUnlessSaid) {
  Json json = small_json();
  json["normalizer"]["lowercase"] = true;
  EXPECT_TRUE(parse_tokenizer_json(json.dump()).config.strip_accents);
  json["normalizer"]["strip_accents"] = false;
  EXPECT_FALSE(parse_tokenizer_json(json.dump()).config.strip_accents);
}

TEST(TokenizerJsonTest, WhatIsNotBertWordPieceIsRefusedByName) {
  const auto refused = [](const char* pointer, const Json& value) {
    return error_after<UnsupportedError>(
        [&](Json& json) { json[Json::json_pointer(pointer)] = value; });
  };
  EXPECT_EQ(refused("/model/type", "BPE"),
            "m/tokenizer.json: model.type: not supported (expected WordPiece, found \"BPE\")");
  EXPECT_THAT(refused("/model/type", "Unigram"), HasSubstr("model.type"));
  EXPECT_THAT(refused("/model/type", "WordLevel"), HasSubstr("\"WordLevel\""));
  EXPECT_THAT(refused("/normalizer/type", "Sequence"), HasSubstr("normalizer.type"));
  EXPECT_THAT(refused("/normalizer/type", "NFC"), HasSubstr("\"NFC\""));
  EXPECT_THAT(refused("/pre_tokenizer/type", "Whitespace"), HasSubstr("pre_tokenizer.type"));
  EXPECT_THAT(refused("/pre_tokenizer", nullptr), HasSubstr("pre_tokenizer"));
  EXPECT_THAT(refused("/post_processor/type", "RobertaProcessing"),
              HasSubstr("post_processor.type"));
  EXPECT_THAT(refused("/post_processor/type", "ByteLevel"), HasSubstr("\"ByteLevel\""));
  EXPECT_THAT(refused("/decoder/type", "Metaspace"), HasSubstr("decoder.type"));
  const Json repeats = {{"type", "TemplateProcessing"},
                        {"single", Json::array({{{"Sequence", {{"id", "B"}, {"type_id", 0}}}}})},
                        {"pair", Json::array()},
                        {"special_tokens", Json::object()}};
  EXPECT_THAT(refused("/post_processor", repeats), HasSubstr("post_processor.single"));
}

TEST(TokenizerJsonTest, PartsThatMayBeAbsent) {
  Json json = small_json();
  json["normalizer"] = nullptr;
  json["post_processor"] = nullptr;
  json.erase("decoder");
  json.erase("added_tokens");
  json["model"].erase("type");  // as early files have it
  const Tokenizer tokenizer(parse_tokenizer_json(json.dump()));
  EXPECT_THAT(tokenizer.encode("가나", "A").ids, ElementsAre(5, 6, 7));
  EXPECT_THAT(pieces_of(tokenizer, "가\u200b나"), ElementsAre("[UNK]"));  // nothing is cleaned
}

TEST(TokenizerJsonTest, DamageIsNamed) {
  const auto damaged = [](const char* pointer, const Json& value) {
    return error_after<FormatError>([&](Json& json) { json[Json::json_pointer(pointer)] = value; });
  };
  EXPECT_THAT(damaged("/model/vocab/가", -1), HasSubstr("model.vocab[\"가\"]: wrong value"));
  EXPECT_THAT(damaged("/model/vocab/가", 1.5), HasSubstr("wrong value"));
  EXPECT_THAT(damaged("/model/vocab/가", 4'000'000'000u), HasSubstr("wrong value"));
  EXPECT_THAT(damaged("/model/vocab/가", 6), HasSubstr("two pieces with one id"));
  EXPECT_THAT(damaged("/model/vocab", Json::array()), HasSubstr("model.vocab"));
  EXPECT_THAT(damaged("/model/vocab", Json::object()), HasSubstr("no pieces"));
  EXPECT_THAT(damaged("/model/unk_token", 3), HasSubstr("model.unk_token"));
  EXPECT_THAT(damaged("/model/unk_token", "<unk>"), HasSubstr("unk_token: the special token"));
  EXPECT_THAT(damaged("/model/max_input_chars_per_word", -5), HasSubstr("max_input_chars"));
  EXPECT_THAT(damaged("/normalizer/lowercase", "yes"), HasSubstr("normalizer.lowercase"));
  EXPECT_THAT(damaged("/added_tokens/0/id", 5), HasSubstr("[CLS]"));
  EXPECT_THAT(damaged("/added_tokens/0/id", 2'000'000'000), HasSubstr("far outside"));
  EXPECT_THAT(damaged("/added_tokens/0/content", nullptr), HasSubstr("added_tokens[0].content"));
  EXPECT_THAT(damaged("/post_processor/cls", Json::array({"[CLS]"})), HasSubstr("cls"));
  EXPECT_THAT(damaged("/post_processor/cls/1", 11), HasSubstr("outside the vocabulary"));
  EXPECT_THAT(error_after<FormatError>([](Json& json) { json.erase("model"); }),
              HasSubstr("model: missing"));
}

TEST(TokenizerJsonTest, ASequenceOfOneIsWhatIsInIt) {
  Json json = small_json();
  const auto wrap = [&json](const char* part, const char* list) {
    json[part] = {{"type", "Sequence"}, {list, Json::array({json[part]})}};
  };
  for (int i = 0; i < 2; ++i) {
    wrap("normalizer", "normalizers");
    wrap("pre_tokenizer", "pretokenizers");
    wrap("post_processor", "processors");
    wrap("decoder", "decoders");
  }
  const TokenizerFiles files = parse_tokenizer_json(json.dump());
  EXPECT_FALSE(files.config.lowercase);
  EXPECT_FALSE(files.config.decoder_cleanup);
  EXPECT_THAT(Tokenizer(parse_tokenizer_json(json.dump())).encode("가나").ids,
              ElementsAre(2, 5, 6, 3));
  EXPECT_THAT(error_after<UnsupportedError>([](Json& two) {
                two["normalizer"] = {{"type", "Sequence"},
                                     {"normalizers", {two["normalizer"], two["normalizer"]}}};
              }),
              HasSubstr("normalizer.type"));
}

TEST(TokenizerJsonTest, RenamedSpecialTokensAreKnownByTheirUse) {
  std::string text = small_json().dump();
  for (const auto& [name, renamed] :
       {std::pair("[CLS]", "<s>"), std::pair("[SEP]", "</s>"), std::pair("[PAD]", "<pad>"),
        std::pair("[UNK]", "<unk>"), std::pair("[MASK]", "<mask>")})
    for (std::size_t at = 0; (at = text.find(name, at)) != text.npos;)
      text.replace(at, std::string_view(name).size(), renamed);
  Json json = Json::parse(text);
  json["added_tokens"].push_back({{"id", 0}, {"content", "<pad>"}, {"special", true}});
  const Tokenizer tokenizer(parse_tokenizer_json(json.dump()));
  EXPECT_EQ(tokenizer.special_ids().cls, 2);
  EXPECT_EQ(tokenizer.special_ids().sep, 3);
  EXPECT_EQ(tokenizer.special_ids().pad, 0);
  EXPECT_EQ(tokenizer.special_ids().unk, 1);
  EXPECT_EQ(tokenizer.special_ids().mask, 4);

  json["added_tokens"].erase(json["added_tokens"].size() - 1);
  json["padding"] = {{"pad_id", 0}, {"pad_token", "<pad>"}};
  EXPECT_EQ(Tokenizer(parse_tokenizer_json(json.dump())).special_ids().pad, 0);
}

TEST(TokenizerJsonTest, AddedTokensGetTheIdsThatTheOriginalGivesThem) {
  Json json = small_json();
  for (const auto& [content, id] : {std::pair("<x>", 15), std::pair("<y>", 20)})
    json["added_tokens"].push_back({{"id", id}, {"content", content}});
  const Tokenizer gap(parse_tokenizer_json(json.dump()));
  EXPECT_THAT(gap.tokenize("A<x><y>").ids, ElementsAre(7, 11, 12));

  // Where the vocabulary has holes the original gives out an id twice; the file's is better.
  json["model"]["vocab"]["##"] = 13;
  json["model"]["vocab"]["a"] = 11;
  json["added_tokens"][2]["id"] = 14;
  json["added_tokens"][3]["id"] = 15;
  EXPECT_THAT(Tokenizer(parse_tokenizer_json(json.dump())).tokenize("A<x><y>").ids,
              ElementsAre(7, 12, 15));
}

TEST(TokenizerJsonTest, ATemplateHasABound) {
  Json ids = Json::array();
  for (int i = 0; i < 1000; ++i)
    ids.push_back(2);
  Json single = Json::array({{{"Sequence", {{"id", "A"}, {"type_id", 0}}}}});
  const Json pair = Json::array({{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                 {{"Sequence", {{"id", "B"}, {"type_id", 0}}}}});
  const auto error_with = [&] {
    return error_after<UnsupportedError>([&](Json& json) {
      json["post_processor"] = {
          {"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", {{"[CLS]", {{"id", "[CLS]"}, {"ids", ids}, {"tokens", ids}}}}}};
    });
  };
  for (int i = 0; i < 4; ++i)
    single.push_back({{"SpecialToken", {{"id", "[CLS]"}, {"type_id", 0}}}});
  EXPECT_EQ(error_with(), "no error");
  for (int i = 0; i < 10'000; ++i)
    single.push_back({{"SpecialToken", {{"id", "[CLS]"}, {"type_id", 0}}}});
  EXPECT_THAT(error_with(),
              HasSubstr("post_processor.single: not supported (expected at most 4096"));
}

TEST(TokenizerJsonTest, ALimitWithoutRoomIsRefused) {
  for (const int length : {0, 1})
    EXPECT_THAT(error_after<FormatError>([length](Json& json) {
                  json["truncation"] = {{"max_length", length}, {"direction", "Right"}};
                }),
                HasSubstr("maximum length: no room for the special tokens (expected at least 2"));
}

TEST(TokenizerJsonTest, WithoutADecoderNothingJoins) {
  Json json = small_json();
  json["decoder"] = nullptr;
  const Tokenizer tokenizer(parse_tokenizer_json(json.dump()));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{2, 5, 6, 7}), "가 ##나 A");
}

TEST(TokenizerJsonTest, TextThatIsNotJson) {
  const std::string whole = small_json().dump();
  EXPECT_THROW(parse_tokenizer_json(""), FormatError);
  EXPECT_THROW(parse_tokenizer_json("[]"), FormatError);
  EXPECT_THROW(parse_tokenizer_json("3"), FormatError);
  EXPECT_THROW(parse_tokenizer_json(std::string(100'000, '[')), FormatError);
  EXPECT_THROW(parse_tokenizer_json("{\"model\":" + std::string(100'000, '[')), FormatError);
  EXPECT_THROW(parse_tokenizer_json("{\"a\": \"\xFF\"}"), FormatError);
  for (std::size_t length = 0; length < whole.size(); ++length)
    ASSERT_THROW(parse_tokenizer_json(whole.substr(0, length)), FormatError) << length;
}

TEST(TokenizerJsonTest, ASingleFlippedByteNeverDoesMoreThanFail) {
  const std::string whole = small_json().dump();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int bit : {1, 8, 32}) {
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ bit);
      try {
        Tokenizer(parse_tokenizer_json(flipped)).encode("가나 [MASK] AB");
      } catch (const Error&) {
      }
    }
  }
}

TEST(TokenizerFilesTest, VocabTxtAlone) {
  Directory directory;
  directory.write("vocab.txt", vocab_txt);
  const Tokenizer tokenizer(read_tokenizer_files(directory.path()));
  EXPECT_THAT(tokenizer.encode("가나 AB大[MASK]").ids, ElementsAre(2, 5, 6, 7, 8, 9, 4, 3));
  EXPECT_EQ(tokenizer.special_ids().pad, 0);
  EXPECT_EQ(tokenizer.special_ids().mask, 4);
  EXPECT_THAT(tokenizer.encode("가", "A").type_ids, ElementsAre(0, 0, 0, 1, 1));
}

TEST(TokenizerFilesTest, TokenizerConfigBesideVocabTxt) {
  Directory directory;
  directory.write("vocab.txt", vocab_txt + "ab\n<s>\n")
      .write("tokenizer_config.json",
             R"({"do_lower_case": true, "strip_accents": false, "tokenize_chinese_chars": false,
                 "model_max_length": 512, "cls_token": {"content": "<s>", "lstrip": false},
                 "truncation_side": "left", "unknown_key": [1, 2],
                 "added_tokens_decoder": {"13": {"content": "<new>", "normalized": false,
                                                 "special": false}}})")
      .write("special_tokens_map.json", R"({"cls_token": "[CLS]", "mask_token": "가"})");
  const Tokenizer tokenizer(read_tokenizer_files(directory.path()));
  EXPECT_TRUE(tokenizer.config().lowercase);
  EXPECT_FALSE(tokenizer.config().strip_accents);
  EXPECT_FALSE(tokenizer.config().handle_chinese_chars);
  EXPECT_EQ(tokenizer.config().model_max_length, 512u);
  EXPECT_EQ(tokenizer.config().truncation_side, TruncationSide::left);
  EXPECT_EQ(tokenizer.special_ids().cls, 12);  // tokenizer_config.json decides
  EXPECT_EQ(tokenizer.special_ids().mask, 5);
  EXPECT_THAT(tokenizer.encode("AB<new>").ids, ElementsAre(12, 11, 13, 3));
}

TEST(TokenizerFilesTest, AddedTokensOfOldDirectories) {
  Directory directory;
  directory.write("vocab.txt", vocab_txt)
      .write("added_tokens.json", R"({"<e1>": 11})")
      .write("special_tokens_map.json",
             R"({"additional_special_tokens": ["大", {"content": "A"}]})");
  const Tokenizer tokenizer(read_tokenizer_files(directory.path()));
  EXPECT_THAT(tokenizer.tokenize("가<e1>나A").ids, ElementsAre(5, 11, 1, 7));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{9, 7, 5}), "가");  // both are special
}

TEST(TokenizerFilesTest, AnOldAddedTokenThatIsNamedSpecialIsSpecial) {
  Directory directory;
  directory.write("vocab.txt", vocab_txt)
      .write("added_tokens.json", R"({"<E>": 11, "<F>": 12})")
      .write("special_tokens_map.json", R"({"additional_special_tokens": ["<E>"]})");
  const TokenizerFiles files = read_tokenizer_files(directory.path());
  const std::vector<AddedToken>& added = files.config.added_tokens;
  ASSERT_GE(added.size(), 2u);
  EXPECT_EQ(added[0],
            (AddedToken{.content = "<E>", .id = 11, .normalized = false, .special = true}));
  EXPECT_EQ(added[1], (AddedToken{.content = "<F>", .id = 12}));
  const Tokenizer tokenizer(read_tokenizer_files(directory.path()));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{11, 12}), "<F>");
}

TEST(TokenizerFilesTest, FlagsOfNamedSpecialTokensCount) {
  Directory directory;
  directory.write("vocab.txt", vocab_txt)
      .write("added_tokens.json", R"({"<E>": 11})")
      .write("special_tokens_map.json",
             R"({"mask_token": {"content": "[MASK]", "lstrip": true},
                 "additional_special_tokens": [{"content": "<E>", "rstrip": true},
                                               {"content": "<new>", "single_word": true}]})");
  const Tokenizer tokenizer(read_tokenizer_files(directory.path()));
  const Tokens tokens = tokenizer.tokenize("A [MASK]<E>  A <new>A <new>");
  EXPECT_THAT(tokens.ids, ElementsAre(7, 4, 11, 7, 1, 1, 1, 7, 12));
  EXPECT_EQ(tokens.offsets[1], (Offset{1, 8}));
  EXPECT_EQ(tokens.offsets[2], (Offset{8, 13}));
  EXPECT_THAT(tokenizer.texts(tokens),
              ElementsAre("A", " [MASK]", "<E>  ", "A", "[UNK]", "[UNK]", "[UNK]", "A", "<new>"));
}

TEST(TokenizerFilesTest, ManyAddedTokensTakeNoLongerThanTheyAre) {
  Json added = Json::object();
  for (int i = 0; i < 60'000; ++i)
    added["<extra" + std::to_string(i) + ">"] = 11 + i;
  Directory directory;
  directory.write("vocab.txt", vocab_txt).write("added_tokens.json", added.dump());
  const std::clock_t start = std::clock();  // of this process: others may be busy
  const Tokenizer tokenizer(read_tokenizer_files(directory.path()));
  EXPECT_LT(std::clock() - start, 2 * CLOCKS_PER_SEC);
  EXPECT_EQ(tokenizer.vocabulary().size(), 60'011u);
  EXPECT_THAT(tokenizer.tokenize("A<extra59999>").ids, ElementsAre(7, 60'010));
}

TEST(TokenizerFilesTest, NoLimitIsAHugeNumber) {
  for (const auto* length : {"1000000000000000019884624838656", "1e30", "null", "0"}) {
    Directory directory;
    directory.write("vocab.txt", vocab_txt)
        .write("tokenizer_config.json", std::string(R"({"model_max_length": )") + length + "}");
    EXPECT_EQ(read_tokenizer_files(directory.path()).config.model_max_length, std::nullopt);
  }
}

TEST(TokenizerFilesTest, TokenizerJsonDecides) {
  Directory directory;
  directory.write("tokenizer.json", small_json().dump())
      .write("vocab.txt", vocab_txt)
      .write("tokenizer_config.json", R"({"do_lower_case": false, "strip_accents": null})");
  const TokenizerFiles files = read_tokenizer_files(directory.path());
  EXPECT_FALSE(files.config.lowercase);
  EXPECT_EQ(files.config.max_input_chars_per_word, 7u);
}

TEST(TokenizerFilesTest, TokenizerConfigMustNotContradictTokenizerJson) {
  const auto error_with = [](const char* config) {
    Directory directory;
    directory.write("tokenizer.json", small_json().dump()).write("tokenizer_config.json", config);
    try {
      read_tokenizer_files(directory.path());
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error_with(R"({"do_lower_case": true})"),
              HasSubstr("tokenizer_config.json: do_lower_case: tokenizer_config.json and "
                        "tokenizer.json disagree; correct the one that is wrong (expected "
                        "lowercase: false as in tokenizer.json, found true)"));
  EXPECT_THAT(error_with(R"({"strip_accents": true})"),
              HasSubstr("strip_accents: false as in tokenizer.json, found true"));
  EXPECT_THAT(error_with(R"({"tokenize_chinese_chars": false})"),
              HasSubstr("handle_chinese_chars: true as in tokenizer.json, found false"));
}

TEST(TokenizerFilesTest, VocabTxtMustNotContradictTokenizerJson) {
  const auto error_with = [](const std::string& vocab) {
    Directory directory;
    directory.write("tokenizer.json", small_json().dump()).write("vocab.txt", vocab);
    try {
      read_tokenizer_files(directory.path());
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_with(vocab_txt), "no error");
  EXPECT_THAT(error_with("[UNK]\n[PAD]\n"),
              HasSubstr("line 1: vocab.txt and tokenizer.json disagree"));
  EXPECT_THAT(error_with(vocab_txt + "more\n"), HasSubstr("line 12"));
}

TEST(TokenizerFilesTest, WhatIsMissingIsNamed) {
  const auto error_in = [](Directory& directory) {
    try {
      Tokenizer tokenizer(read_tokenizer_files(directory.path()));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  Directory empty;
  EXPECT_THAT(error_in(empty), HasSubstr("expected tokenizer.json or vocab.txt"));
  EXPECT_THROW(read_tokenizer_files(empty.path()), IoError);
  EXPECT_THROW(read_tokenizer_files("/nonexistent"), IoError);
  Directory no_separator;
  no_separator.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n");
  EXPECT_THAT(error_in(no_separator),
              HasSubstr("vocab.txt: sep_token: the special token \"[SEP]\""));
  Directory no_basic;
  no_basic.write("vocab.txt", vocab_txt)
      .write("tokenizer_config.json", R"({"do_basic_tokenize": false})");
  EXPECT_THAT(error_in(no_basic), HasSubstr("do_basic_tokenize: not supported"));
  Directory broken;
  broken.write("vocab.txt", vocab_txt).write("tokenizer_config.json", "{");
  EXPECT_THAT(error_in(broken), HasSubstr("tokenizer_config.json: not valid JSON"));
}

TEST(TokenizerFilesTest, TheRealOnesAgree) {
  KLUE_SHARED_DATA_OR_SKIP(file, "data/klue/tokenizer.json");
  const fs::path model = file.parent_path();
  const TokenizerFiles from_json = read_tokenizer_files(model);
  Directory directory;
  for (const auto* name : {"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"})
    fs::copy_file(model / name, directory.path() / name);
  const TokenizerFiles from_vocab = read_tokenizer_files(directory.path());
  EXPECT_EQ(from_json.vocabulary.pieces(), from_vocab.vocabulary.pieces());
  EXPECT_THAT(from_vocab.config.added_tokens,
              ::testing::UnorderedElementsAreArray(from_json.config.added_tokens));
  EXPECT_EQ(from_json.config.single, from_vocab.config.single);
  EXPECT_EQ(from_json.config.model_max_length, 512u);
  EXPECT_EQ(from_vocab.config.model_max_length, 512u);
}

}  // namespace
}  // namespace klue::test
