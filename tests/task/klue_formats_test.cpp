// Between KLUE's examples and a model, on small vocabularies: what stands without reference data.

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/task/klue_mrc.hpp>
#include <klue/task/klue_ner.hpp>
#include <klue/task/klue_re.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

#include "text/small_tokenizer.hpp"

namespace klue::baseline {
namespace {

using testing::ElementsAre;
using Labels = std::vector<std::int32_t>;

constexpr std::int32_t kO = 12;

// ------------------------------------------------------------------------------------------- NER

void expect_refused(const std::string& content, const std::string& field) {
  try {
    parse_ner(content, "ner.tsv");
    ADD_FAILURE() << "was read: " << content;
  } catch (const FormatError& error) {
    EXPECT_EQ(error.file(), "ner.tsv");
    EXPECT_EQ(error.field(), field) << error.what();
  }
}

TEST(ParseNer, ReadsSentences) {
  const auto sentences = parse_ner(
      "\xEF\xBB\xBF\n## 주석\n## klue-ner-v1_dev_00000\t<서울:LC> 시\n서\tB-LC\n울\tI-LC\n \tO\n"
      "시\tO\r\n\t\n\n##\n#\tB-QT\n\n",
      "ner.tsv");
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0].name, "klue-ner-v1_dev_00000");
  EXPECT_EQ(sentences[0].text, "서울 시");
  EXPECT_THAT(sentences[0].labels, ElementsAre(2, 3, kO));
  EXPECT_EQ(sentences[1].text, "#");
  EXPECT_THAT(sentences[1].labels, ElementsAre(10));
  EXPECT_TRUE(parse_ner("", "ner.tsv").empty());
  EXPECT_TRUE(parse_ner(" \n\n", "ner.tsv").empty());
}

TEST(ParseNer, RefusesWhatIsNoLabelledCharacter) {
  expect_refused("서\tB-LC\n울", "line 2");
  expect_refused("\n\n서\tB-LC\n울\tI-LC\tO", "line 4");
  expect_refused("서\tB-XX", "line 1");
  expect_refused("서\tB-LC\n\tO", "line 2");
}

TEST(Ner, SpreadsTokensOverCharacters) {
  const Tokenizer tokenizer = test::small_tokenizer({"서울", "##시", "가", "다"});
  const auto words = ner_words(tokenizer, "서울시  가다");  // the last is [UNK]
  ASSERT_EQ(words.size(), 3u);
  EXPECT_TRUE(words[1].ids.empty());
  EXPECT_FALSE(words[0].has_unknown());
  EXPECT_TRUE(words[2].has_unknown());
  EXPECT_THAT(ner_input_ids(tokenizer, words), ElementsAre(0, 5, 6, 3, 2));
  EXPECT_THAT(ner_input_ids(tokenizer, words, 4), ElementsAre(0, 5, 6, 2));
  const Labels token_labels = ner_token_labels(words, Labels{2, 3, kO, 0, 1});
  EXPECT_THAT(token_labels, ElementsAre(2, kO, 0));
  EXPECT_THAT(ner_row_labels(token_labels, 6), ElementsAre(kO, 2, kO, 0, kO, kO));
  EXPECT_THAT(ner_row_labels(token_labels, 4), ElementsAre(kO, 2, kO, kO));
  const Labels spread = ner_character_predictions(words, ner_row_labels(token_labels, 6));
  EXPECT_THAT(spread, ElementsAre(kO, 2, 3, kO, 0, 1, kO));
  EXPECT_THAT(ner_character_gold(Labels{2, 3, kO, 0, 1}, spread.size()),
              ElementsAre(kO, 2, 3, kO, 0, 1, kO));
}

TEST(Ner, RefusesWhatTheOriginalCannotDo) {
  const Tokenizer tokenizer = test::small_tokenizer({"한국", ","});
  const auto words = ner_words(tokenizer, "뷁,한국\u200b");
  EXPECT_THROW(aligned_pieces(words[0]), UsageError);
  EXPECT_THROW(ner_character_predictions(words, Labels(8, kO)), UsageError);
  EXPECT_THROW(ner_character_predictions(words, Labels(1, kO)), UsageError);
  EXPECT_THROW(ner_token_labels(ner_words(tokenizer, "한국 한국"), Labels{0, 1}), UsageError);
  EXPECT_THROW(ner_character_gold(Labels{0, 1}, 5), UsageError);
}

// -------------------------------------------------------------------------------------------- RE

TEST(MarkEntities, CountsCodePoints) {
  EXPECT_EQ(mark_entities("가나다라", {2, 2}, {0, 1}), "<obj>가나</obj><subj>다</subj>라");
  EXPECT_EQ(mark_entities("가나다", {0, 1}, {1, 2}), "<subj>가나</subj><obj>나다</obj>");
  EXPECT_EQ(mark_entities("가나다", {-2, -2}, {9, 9}), "가<subj>나</subj>다<obj></obj>");
  EXPECT_THROW(mark_entities("가나다", {1, 2}, {1, 2}), UsageError);
}

TEST(ReInput, MendsTheParticle) {
  const Tokenizer tokenizer =
      re_tokenizer(test::small_tokenizer({"가", "나", "은", "##은", "다", "라"}));
  const ReInput input = re_input(tokenizer, "가은 나다 라", {0, 0}, {3, 3});
  EXPECT_THAT(input.tokens, ElementsAre("<subj>", "가", "</subj>", "##은", "<obj>", "나", "</obj>",
                                        "##다", "라"));
  EXPECT_THAT(input.ids, ElementsAre(0, 11, 5, 12, 8, 13, 6, 14, 3, 10, 2));
  EXPECT_THAT(re_input(tokenizer, "가은 나다 라", {0, 0}, {3, 3}, 5).ids,
              ElementsAre(0, 11, 5, 12, 2));
  EXPECT_THROW(re_input(tokenizer, "가은 나", {0, 0}, {3, 3}), UsageError);
}

TEST(ReTokenizer, KeepsMarkersThatAreThere) {
  detail::TokenizerConfig config;
  config.added_tokens.push_back({.content = "<obj>", .id = 6, .special = true});
  const Tokenizer tokenizer =
      re_tokenizer(test::small_tokenizer({"가", "<obj>"}, Dialect::huggingface, config));
  EXPECT_THAT(tokenizer.tokenize("<subj></subj><obj></obj>").ids, ElementsAre(7, 8, 6, 9));
}

// ------------------------------------------------------------------------------------------- MRC

MrcOptions small_windows() {
  return {.max_seq_length = 9, .doc_stride = 2, .max_query_length = 2};
}

TEST(MrcDocument, HasWindows) {
  const Tokenizer tokenizer = test::small_tokenizer({"가", "나", "다", "##다"});
  const MrcDocument document =
      mrc_document(tokenizer, "다 다 다", " 가 나다\t가 나 가\u00A0나", small_windows());
  EXPECT_THAT(document.words, ElementsAre("가", "나다", "가", "나", "가\u00A0나"));
  EXPECT_THAT(document.pieces, ElementsAre("가", "나", "##다", "가", "나", "가", "나"));
  EXPECT_THAT(document.word_of, ElementsAre(0, 1, 1, 2, 3, 4, 4));
  ASSERT_EQ(document.windows.size(), 3u);
  EXPECT_THAT(document.windows[1].ids, ElementsAre(0, 7, 7, 2, 8, 5, 6, 5, 2));
  EXPECT_EQ(document.windows[1].context_at, 4u);
  EXPECT_EQ(document.windows[1].first_token, 2u);
  EXPECT_THAT(document.windows[2].max_context, ElementsAre(false, true, true));
}

TEST(MrcDocument, RefusesWhatHasNoWindow) {
  const Tokenizer tokenizer = test::small_tokenizer({"가"});
  EXPECT_THROW(mrc_document(tokenizer, "가", " \n"), UsageError);
  EXPECT_THROW(mrc_document(tokenizer, "가", "가", {.max_seq_length = 5, .doc_stride = 2}),
               UsageError);
  EXPECT_THROW(mrc_document(tokenizer, "가", "가", {.doc_stride = 0}), UsageError);
}

// Logits of one window that are 0 but for one start and one end.
MrcLogits logits_at(std::size_t size, std::size_t start, std::size_t end) {
  MrcLogits logits{std::vector<float>(size, 0), std::vector<float>(size, 0)};
  logits.start[start] = 5;
  logits.end[end] = 5;
  return logits;
}

TEST(MrcAnswer, IsThePartOfTheWords) {
  const Tokenizer tokenizer = test::small_tokenizer({"서울", "##은", "가", "(", ")"});
  const MrcDocument document = mrc_document(tokenizer, "가", "가 (서울은) 뷁");
  const std::size_t size = document.windows[0].ids.size();  // [CLS] 가 [SEP] 가 ( 서울 ##은 ) [UNK]
  const auto answer_at = [&](std::size_t start, std::size_t end) {
    const MrcLogits logits = logits_at(size, start, end);
    return mrc_answer(document, {&logits, 1}).text;
  };
  EXPECT_EQ(answer_at(5, 5), "서울");
  EXPECT_EQ(answer_at(4, 6), "(서울은");
  EXPECT_EQ(answer_at(3, 5), "가 (서울");
  EXPECT_EQ(answer_at(8, 8), "뷁");
  EXPECT_EQ(answer_at(0, 0), "");
  EXPECT_THROW(mrc_answer(document, {}), UsageError);
  const MrcLogits few = logits_at(size - 1, 0, 0);
  EXPECT_THROW(mrc_answer(document, {&few, 1}), UsageError);
}

TEST(MrcTargets, AreTheTokensOfTheAnswer) {
  const Tokenizer tokenizer = test::small_tokenizer({"서울", "##은", "가"});
  const std::string context = "가 서울은 가";
  const MrcDocument document = mrc_document(tokenizer, "가", context);
  const auto target = [&](std::optional<std::string_view> answer, std::size_t start) {
    return mrc_targets(tokenizer, document, context, answer, start);
  };
  EXPECT_EQ(target("서울", 2)->at(0), (MrcTarget{4, 4, false}));
  EXPECT_EQ(target("서울은 가", 2)->at(0), (MrcTarget{4, 6, false}));
  EXPECT_EQ(target(std::nullopt, 0)->at(0), MrcTarget{});
  EXPECT_FALSE(target("서울", 0).has_value());  // does not stand there
  EXPECT_THROW(target("서울", 99), UsageError);
}

}  // namespace
}  // namespace klue::baseline
