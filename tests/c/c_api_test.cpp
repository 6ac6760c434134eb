// What C gets is what C++ gets.

#include <algorithm>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <klue/klue.h>
#include <klue/klue.hpp>

namespace klue {
namespace {

const std::vector<std::string> kTexts{"이 다는 사람", "", "전 대 이 다는 사람 전", "\U0001F9F8 전"};

std::string fixture(const char* name) {
  return std::string(KLUE_FIXTURE_DIR) + "/" + name;
}

std::vector<klue_text> c_texts(const std::vector<std::string>& texts) {
  std::vector<klue_text> views;
  for (const std::string& text : texts)
    views.push_back({text.data(), text.size(), nullptr, 0});
  return views;
}

// A model in both languages.
struct Both {
  explicit Both(const char* name, klue_load_options options = {})
      : cpp(Model::load(fixture(name))) {
    options.struct_size = sizeof options;
    if (klue_model_load(fixture(name).c_str(), &options, &c) != KLUE_OK)
      throw std::runtime_error(klue_error_message());
  }
  Both(const Both&) = delete;
  Both& operator=(const Both&) = delete;
  ~Both() { klue_model_free(c); }

  Model cpp;
  klue_model* c = nullptr;
};

TEST(CApi, EmbedsAsEmbedDoes) {
  const Both model("tiny-11");
  const std::size_t hidden = model.cpp.encoder().config().hidden_size;
  const std::vector<klue_text> texts = c_texts(kTexts);
  std::vector<float> out(kTexts.size() * hidden);
  for (std::size_t pooling = 0; pooling < std::size(kPoolings); ++pooling)
    for (const klue_choice normalize : {KLUE_OF_MODEL, KLUE_YES, KLUE_NO}) {
      klue_embed_options options{};
      options.struct_size = sizeof options;
      options.pooling = static_cast<klue_pooling>(pooling);
      options.normalize = normalize;
      ASSERT_EQ(
          klue_model_embed(model.c, texts.data(), texts.size(), &options, out.data(), out.size()),
          KLUE_OK)
          << klue_error_message();
      EmbedOptions same{.pooling = kPoolings[pooling]};
      if (normalize != KLUE_OF_MODEL) same.normalize = normalize == KLUE_YES;
      EXPECT_TRUE(std::ranges::equal(model.cpp.embed(kTexts, same).values(), out));
    }
  klue_embed_options windows{};
  windows.struct_size = sizeof windows;
  windows.max_length = 5;
  windows.long_texts = KLUE_LONG_TEXTS_WINDOWS;
  ASSERT_EQ(klue_model_embed(model.c, texts.data(), texts.size(), &windows, out.data(), out.size()),
            KLUE_OK);
  const Tensor expected =
      model.cpp.embed(kTexts, {.max_length = 5, .long_texts = LongTexts::windows});
  EXPECT_TRUE(std::ranges::equal(expected.values(), out));
}

TEST(CApi, EncodesAsEncodeDoes) {
  const Both model("tiny-11");
  const EncoderConfig& config = model.cpp.encoder().config();
  const std::vector<klue_text> texts = c_texts(kTexts);
  struct Case {
    std::size_t max_length, seq_length;
    PaddedRows padded_rows;
  };
  for (const Case& c : {Case{0, 0, PaddedRows::zero}, Case{4, 0, PaddedRows::zero},
                        Case{0, 9, PaddedRows::reference}, Case{3, 9, PaddedRows::zero}}) {
    klue_encode_options options{};
    options.struct_size = sizeof options;
    options.max_length = c.max_length;
    options.seq_length = c.seq_length;
    options.padded_rows =
        c.padded_rows == PaddedRows::reference ? KLUE_PADDED_ROWS_REFERENCE : KLUE_PADDED_ROWS_ZERO;
    TextOptions same;
    if (c.max_length != 0) same.max_length = c.max_length;
    if (c.seq_length != 0) same.seq_length = c.seq_length;
    const EncoderOutputs expected = model.cpp.encode(
        kTexts, {.pooled_output = true, .encoder_outputs = true, .padded_rows = c.padded_rows},
        same);

    std::size_t length = 0;
    ASSERT_EQ(klue_row_length(model.c, texts.data(), texts.size(), &options, &length), KLUE_OK);
    ASSERT_EQ(length, expected.sequence_output.shape()[1]);
    std::vector<float> pooled(texts.size() * config.hidden_size, 99.f);
    std::vector<float> sequence(pooled.size() * length, 99.f);
    std::vector<float> layers(sequence.size() * config.num_hidden_layers, 99.f);
    std::vector<std::size_t> counts(texts.size());
    const klue_outputs out{sizeof out,    sequence.data(), sequence.size(), pooled.data(),
                           pooled.size(), layers.data(),   layers.size(),   counts.data()};
    ASSERT_EQ(klue_model_encode(model.c, texts.data(), texts.size(), &options, &out), KLUE_OK)
        << klue_error_message();
    EXPECT_TRUE(std::ranges::equal(expected.sequence_output.values(), sequence));
    EXPECT_TRUE(std::ranges::equal(expected.pooled_output->values(), pooled));
    ASSERT_EQ(expected.encoder_outputs.size(), config.num_hidden_layers);
    for (std::size_t i = 0; i < expected.encoder_outputs.size(); ++i)
      EXPECT_TRUE(
          std::ranges::equal(expected.encoder_outputs[i].values(),
                             std::span(layers).subspan(i * sequence.size(), sequence.size())));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const std::size_t kept = std::min(c.max_length != 0 ? c.max_length : 100, length);
      EXPECT_EQ(counts[i], std::min(model.cpp.preprocessor().encode(kTexts[i]).size(), kept));
    }
  }
}

TEST(CApi, LoadsAsLoadDoes) {
  klue_load_options options{};
  options.engine = KLUE_ENGINE_EIGEN;
  options.threads = 1;
  options.dialect = KLUE_DIALECT_TENSORFLOW;
  const Both model("tiny-11", options);
  klue_model_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(klue_model_get_info(model.c, &info), KLUE_OK);
  const Model same = Model::load(
      fixture("tiny-11"), {.threads = 1, .engine = Engine::eigen, .dialect = Dialect::tensorflow});
  EXPECT_EQ(info.engine, same.info().engine);
  EXPECT_EQ(info.threads, 1u);
  EXPECT_EQ(info.max_length, same.info().max_length);
  EXPECT_EQ(info.layers, same.encoder().config().num_hidden_layers);
  EXPECT_EQ(info.has_pooler, 1);
  EXPECT_EQ(info.memory_bytes, same.memory_bytes());
  std::size_t length = 0;
  const klue_text text = klue_text_of("전");
  ASSERT_EQ(klue_row_length(model.c, &text, 1, nullptr, &length), KLUE_OK);
  EXPECT_EQ(length, same.encode({"전"}).sequence_output.shape()[1]);

  // The part that an older program knows.
  klue_model_info old{};
  old.struct_size = offsetof(klue_model_info, head);
  old.head = "untouched";
  ASSERT_EQ(klue_model_get_info(model.c, &old), KLUE_OK);
  EXPECT_EQ(old.engine, same.info().engine);
  EXPECT_STREQ(old.head, "untouched");
}

TEST(CApi, TokenizesAsEncodeDoes) {
  const Both model("tiny-11");
  klue_tokenizer* tokenizer = nullptr;
  ASSERT_EQ(klue_tokenizer_of_model(model.c, &tokenizer), KLUE_OK);
  for (const std::string& text : kTexts) {
    klue_encoding* encoding = nullptr;
    ASSERT_EQ(klue_tokenize(tokenizer, {text.data(), text.size(), "전", 3}, nullptr, &encoding),
              KLUE_OK);
    const Encoding expected = model.cpp.preprocessor().encode(text, "전");
    const std::vector<std::string> tokens = model.cpp.preprocessor().tokenizer().texts(expected);
    ASSERT_EQ(klue_encoding_size(encoding), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(klue_encoding_ids(encoding)[i], expected.ids[i]);
      EXPECT_EQ(klue_encoding_type_ids(encoding)[i], expected.type_ids[i]);
      EXPECT_EQ(klue_encoding_sequence_ids(encoding)[i], expected.sequence_ids[i]);
      EXPECT_EQ(klue_encoding_offsets(encoding)[i].begin, expected.offsets[i].begin);
      EXPECT_EQ(klue_encoding_offsets(encoding)[i].end, expected.offsets[i].end);
      EXPECT_EQ(klue_encoding_token(encoding, i), tokens[i]);
    }
    klue_encoding_free(encoding);
  }
  klue_tokenizer_free(tokenizer);
}

TEST(CApi, ClassifiesAsTheClassifierDoes) {
  const Both model("tiny-11-seqcls");
  klue_classifier* classifier = nullptr;
  ASSERT_EQ(klue_classifier_new(model.c, &classifier), KLUE_OK);
  klue_classify_options options{};
  options.struct_size = sizeof options;
  options.activation = KLUE_SCORE_SIGMOID;
  options.max_length = 5;
  klue_labels* labels = nullptr;
  const std::vector<klue_text> texts = c_texts(kTexts);
  ASSERT_EQ(klue_classify(classifier, texts.data(), texts.size(), &options, &labels), KLUE_OK);
  const auto expected = Classifier(model.cpp).classify(
      kTexts, {.activation = ScoreFunction::sigmoid, .text = {.max_length = 5}});
  for (std::size_t i = 0; i < expected.size(); ++i) {
    std::size_t count = 0;
    const klue_label* found = klue_labels_at(labels, i, &count);
    ASSERT_EQ(count, expected[i].size());
    for (std::size_t j = 0; j < count; ++j) {
      EXPECT_EQ(found[j].name, expected[i][j].name);
      EXPECT_EQ(found[j].score, expected[i][j].score);
    }
  }
  klue_labels_free(labels);
  klue_classifier_free(classifier);
}

TEST(CApi, RanksAsTheRankerDoes) {
  const Both model("tiny-11-rank");
  klue_ranker* ranker = nullptr;
  ASSERT_EQ(klue_ranker_new(model.c, &ranker), KLUE_OK);
  std::vector<klue_text> pairs;
  std::vector<std::pair<std::string, std::string>> same;
  for (const std::string& text : kTexts) {
    pairs.push_back({"이 다는", KLUE_UNTIL_NUL, text.data(), text.size()});
    same.emplace_back("이 다는", text);
  }
  std::vector<double> scores(pairs.size());
  ASSERT_EQ(klue_rank(ranker, pairs.data(), pairs.size(), nullptr, scores.data()), KLUE_OK);
  EXPECT_EQ(scores, Ranker(model.cpp).score(same));
  klue_ranker_free(ranker);
}

TEST(CApi, TagsAsTheTaggerDoes) {
  const Both model("tiny-11-tokcls");
  klue_tagger* tagger = nullptr;
  ASSERT_EQ(klue_tagger_new(model.c, &tagger), KLUE_OK);
  const std::vector<klue_text> texts = c_texts(kTexts);
  constexpr Aggregation kSame[] = {Aggregation::simple, Aggregation::none, Aggregation::first,
                                   Aggregation::average, Aggregation::max};
  for (const klue_aggregation aggregation :
       {KLUE_AGGREGATION_SIMPLE, KLUE_AGGREGATION_NONE, KLUE_AGGREGATION_FIRST,
        KLUE_AGGREGATION_AVERAGE, KLUE_AGGREGATION_MAX}) {
    klue_tag_options options{};
    options.struct_size = sizeof options;
    options.aggregation = aggregation;
    klue_entities* entities = nullptr;
    ASSERT_EQ(klue_tag(tagger, texts.data(), texts.size(), &options, &entities), KLUE_OK);
    const auto expected = Tagger(model.cpp).tag(
        kTexts, {.aggregation = kSame[static_cast<std::size_t>(aggregation)]});
    std::size_t all = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      std::size_t count = 0;
      const klue_entity* found = klue_entities_at(entities, i, &count);
      ASSERT_EQ(count, expected[i].size());
      all += count;
      for (std::size_t j = 0; j < count; ++j) {
        EXPECT_EQ(found[j].label, expected[i][j].label);
        EXPECT_EQ(found[j].word, expected[i][j].word);
        EXPECT_EQ(found[j].score, expected[i][j].score);
        EXPECT_EQ(found[j].offset.begin, expected[i][j].offset.begin);
        EXPECT_EQ(found[j].code_points.end, expected[i][j].code_points.end);
      }
    }
    EXPECT_GT(all, 0u);
    klue_entities_free(entities);
  }
  klue_tagger_free(tagger);
}

TEST(CApi, AnswersAsTheAnswererDoes) {
  const Both model("tiny-11-qa");
  klue_answerer* answerer = nullptr;
  ASSERT_EQ(klue_answerer_new(model.c, &answerer), KLUE_OK);
  klue_answer_options options{};
  options.struct_size = sizeof options;
  options.top_k = 3;
  options.no_answer = 1;
  options.break_words = 1;
  const klue_text question = klue_text_pair_of("이 다는", kTexts[2].c_str());
  klue_answers* answers = nullptr;
  ASSERT_EQ(klue_answer_questions(answerer, &question, 1, &options, &answers), KLUE_OK);
  const Answers expected = Answerer(model.cpp).answer(
      "이 다는", kTexts[2], {.top_k = 3, .no_answer = true, .align_words = false});
  std::size_t count = 0;
  const klue_answer* found = klue_answers_at(answers, 0, &count);
  ASSERT_EQ(count, expected.best.size());
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(found[i].text, expected.best[i].text);
    EXPECT_EQ(found[i].score, expected.best[i].score);
    EXPECT_EQ(found[i].code_points.begin, expected.best[i].code_points.begin);
  }
  EXPECT_EQ(klue_answers_null_score(answers, 0), expected.null_score);
  klue_answers_free(answers);
  klue_answerer_free(answerer);
}

TEST(CApi, FillsMasksAsTheMaskFillerDoes) {
  const Both model("tiny-11-mlm");
  klue_mask_filler* filler = nullptr;
  ASSERT_EQ(klue_mask_filler_new(model.c, &filler), KLUE_OK);
  klue_fillings* fillings = nullptr;
  ASSERT_EQ(klue_fill_mask(filler, klue_text_of("이 [MASK] 전 [MASK]"), nullptr, &fillings),
            KLUE_OK);
  const auto expected = MaskFiller(model.cpp).fill("이 [MASK] 전 [MASK]");
  ASSERT_EQ(expected.size(), 2u);
  for (std::size_t mask = 0; mask < 2; ++mask) {
    std::size_t count = 0;
    const klue_filling* found = klue_fillings_at(fillings, mask, &count);
    ASSERT_EQ(count, expected[mask].size());
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(found[i].token, expected[mask][i].token);
      EXPECT_EQ(found[i].token_text, expected[mask][i].token_text);
      EXPECT_EQ(found[i].sequence, expected[mask][i].sequence);
      EXPECT_EQ(found[i].score, expected[mask][i].score);
    }
  }
  klue_fillings_free(fillings);
  klue_mask_filler_free(filler);
}

TEST(CApi, TellsEveryKindOfErrorApart) {
  klue_model* model = nullptr;
  const auto load_text = [&](const char* config) {
    const klue_file file{"config.json", config, std::string(config).size()};
    return klue_model_load_memory(&file, 1, nullptr, &model);
  };
  EXPECT_EQ(load_text("{"), KLUE_ERROR_FORMAT);
  EXPECT_STREQ(klue_error_file(), "memory/config.json");
  EXPECT_EQ(load_text(R"({"model_type": "gpt2"})"), KLUE_ERROR_UNSUPPORTED);
  EXPECT_STREQ(klue_error_field(), "model_type");
  EXPECT_EQ(klue_model_load("/no/such/model", nullptr, &model), KLUE_ERROR_IO);
  const klue_file null{"config.json", nullptr, 5};
  EXPECT_EQ(klue_model_load_memory(&null, 1, nullptr, &model), KLUE_ERROR_USAGE);
}

TEST(CApi, LetsNoExceptionOfACallbackThrough) {
  klue_model* model = nullptr;
  const klue_find_file throws = [](void*, const char*, klue_found_file*) -> int {
    throw std::runtime_error("from C++");
  };
  EXPECT_EQ(klue_model_load_files(throws, nullptr, nullptr, &model), KLUE_ERROR_INTERNAL);
  EXPECT_STREQ(klue_error_message(), "from C++");
  const klue_find_file throws_memory = [](void*, const char*, klue_found_file*) -> int {
    throw std::bad_alloc();
  };
  EXPECT_EQ(klue_model_load_files(throws_memory, nullptr, nullptr, &model), KLUE_ERROR_MEMORY);
  const klue_find_file throws_number = [](void*, const char*, klue_found_file*) -> int { throw 7; };
  EXPECT_EQ(klue_model_load_files(throws_number, nullptr, nullptr, &model), KLUE_ERROR_INTERNAL);
}

}  // namespace
}  // namespace klue
