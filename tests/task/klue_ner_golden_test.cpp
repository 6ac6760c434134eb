// Characters to tokens and back as KLUE-baseline does it, on all 5,000 sentences of the dev set.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/task/detail/code_points.hpp>
#include <klue/task/klue_metrics.hpp>
#include <klue/task/klue_ner.hpp>

#include "shared_data.hpp"
#include "task/klue_goldens.hpp"

namespace klue::baseline {
namespace {

using test::golden_number;
using Labels = std::vector<std::int32_t>;

constexpr std::int32_t kOutside = 12;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Labels labels_named(const std::string& names) {
  static const std::vector<std::string> all{"B-PS", "I-PS", "B-LC", "I-LC", "B-OG", "I-OG", "B-DT",
                                            "I-DT", "B-TI", "I-TI", "B-QT", "I-QT", "O"};
  std::istringstream stream(names);
  Labels labels;
  for (std::string name; stream >> name;)
    labels.push_back(
        static_cast<std::int32_t>(std::find(all.begin(), all.end(), name) - all.begin()));
  return labels;
}

// FNV-1a over the numbers in decimal, joined by commas.
class Hash {
 public:
  void add(const Labels& labels) {
    for (const std::int32_t label : labels) {
      if (!first_) add(',');
      first_ = false;
      for (const char digit : std::to_string(label))
        add(digit);
    }
  }
  std::string text() const {
    char hex[9];
    std::snprintf(hex, sizeof hex, "%08x", value_);
    return hex;
  }

 private:
  void add(char byte) { value_ = (value_ ^ static_cast<unsigned char>(byte)) * 16777619u; }

  std::uint32_t value_ = 2166136261u;
  bool first_ = true;
};

// The predictions that a rule of the goldens makes of a row of true labels.
Labels made_predictions(const nlohmann::json& run, Labels row, std::size_t sentence) {
  const std::string rule = run.at("rule");
  const Labels gold = row;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool is_entity = gold[i] != kOutside;
    if (rule == "shift") row[i] = i == 0 ? kO : gold[i - 1];
    if (rule == "no_b" && is_entity) row[i] = gold[i] | 1;
    if (rule == "all_b" && is_entity) row[i] = gold[i] & ~1;
    if (rule == "rotate" && is_entity) row[i] = (gold[i] + 2) % 12;
    if (rule == "constant") row[i] = run.at("label");
    if (rule == "flip") {
      const std::uint64_t h = test::golden_random(run.at("seed"), sentence, i);
      if (h % 1000 < run.at("permille"))
        row[i] = (gold[i] + 1 + static_cast<std::int32_t>(h / 1000 % 12)) % 13;
    }
  }
  return row;
}

class KlueNerGolden : public testing::Test {
 protected:
  // Nothing where the shared data is not there.
  static const Tokenizer* tokenizer() {
    static const auto directory = test::shared_data("data/klue");
    static const std::unique_ptr<const Tokenizer> tokenizer =
        directory ? std::make_unique<const Tokenizer>(Tokenizer::load(*directory)) : nullptr;
    return tokenizer.get();
  }
  static std::vector<NerSentence> sentences(const std::filesystem::path& file) {
    return parse_ner(content_of(file), file.string());
  }
};

TEST_F(KlueNerGolden, TokensAndTheirLabels) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/ner_tokens.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(dev, "data/corpora/klue-ner-v1.1_dev.tsv");
  const auto all = sentences(dev);
  ASSERT_EQ(all.size(), 5000u);
  EXPECT_EQ(all[0].name, "klue-ner-v1_dev_00000-wikitree");
  for (const auto& line : test::json_lines(file)) {
    const NerSentence& sentence = all.at(line.at("index"));
    SCOPED_TRACE(sentence.text);
    EXPECT_EQ(sentence.text, line.at("sentence"));
    EXPECT_EQ(sentence.labels, labels_named(line.at("character_labels")));
    const auto words = ner_words(*tokenizer(), sentence.text);
    std::string tokens;
    for (const NerWord& word : words)
      for (const std::int32_t id : word.ids)
        tokens.append(tokens.empty() ? "" : " ").append(tokenizer()->token(id));
    EXPECT_EQ(tokens, line.at("tokens"));
    EXPECT_EQ(ner_token_labels(words, sentence.labels), labels_named(line.at("token_labels")));
  }
}

TEST_F(KlueNerGolden, DigestOfTheDevSet) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/ner_dev_digest.tsv");
  KLUE_SHARED_DATA_OR_SKIP(dev, "data/corpora/klue-ner-v1.1_dev.tsv");
  const auto all = sentences(dev);
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);  // headings
  std::size_t index = 0;
  for (; std::getline(stream, line); ++index) {
    const auto words = ner_words(*tokenizer(), all.at(index).text);
    const Labels token_labels = ner_token_labels(words, all[index].labels);
    std::size_t unknown = 0;
    for (const NerWord& word : words)
      unknown +=
          static_cast<std::size_t>(std::count(word.unknown.begin(), word.unknown.end(), true));
    const Labels spread = ner_character_predictions(words, ner_row_labels(token_labels));
    Hash of_tokens, of_spread;
    of_tokens.add(token_labels);
    of_spread.add(spread);
    std::ostringstream found;
    found << index << '\t' << token_labels.size() << '\t' << unknown << '\t'
          << all[index].labels.size() << '\t' << spread.size() << '\t' << of_tokens.text() << '\t'
          << of_spread.text();
    ASSERT_EQ(found.str(), line);
  }
  EXPECT_EQ(index, 5000u);
}

TEST_F(KlueNerGolden, Spread) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/ner_spread.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(dev, "data/corpora/klue-ner-v1.1_dev.tsv");
  const auto all = sentences(dev);
  for (const auto& line : test::json_lines(file)) {
    const std::size_t index = line.at("index");
    SCOPED_TRACE(all[index].text + " " + line.at("rule").get<std::string>());
    const auto words = ner_words(*tokenizer(), all[index].text);
    const Labels row =
        ner_row_labels(ner_token_labels(words, all[index].labels), line.at("max_seq_length"));
    const Labels predictions = made_predictions(line, row, index);
    EXPECT_EQ(predictions.back(), line.at("last_pred"));
    if (line.contains("words"))
      for (std::size_t w = 0; w < words.size(); ++w) {
        const auto& expected = line.at("words").at(w);
        if (!expected.contains("aligned")) continue;
        std::vector<std::string> aligned;
        for (const std::u32string& piece : aligned_pieces(words[w]))
          aligned.push_back(detail::utf8_of(piece));
        EXPECT_EQ(aligned, expected.at("aligned").get<std::vector<std::string>>());
      }
    const Labels spread = ner_character_predictions(words, predictions);
    const Labels gold = ner_character_gold(all[index].labels, spread.size());
    EXPECT_EQ(spread, line.at("character_preds").get<Labels>());
    EXPECT_EQ(gold, line.at("character_labels").get<Labels>());
    EXPECT_SAME_NUMBER(metrics::entity_macro_f1(gold, spread),
                       golden_number(line.at("entity_macro_f1")));
  }
}

TEST_F(KlueNerGolden, Quirks) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/ner_quirks.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(documents, "goldens/metrics/ner_quirks.tsv");
  const auto all = sentences(documents);
  for (const auto& line : test::json_lines(file)) {
    SCOPED_TRACE(line.at("name"));
    const NerSentence& sentence = all.at(line.at("index"));
    EXPECT_EQ(sentence.text, line.at("sentence"));
    EXPECT_EQ(sentence.labels, labels_named(line.at("character_labels")));
    const auto words = ner_words(*tokenizer(), sentence.text);
    ASSERT_EQ(words.size(), line.at("words").size());
    const Labels token_labels = ner_token_labels(words, sentence.labels);
    EXPECT_EQ(token_labels, labels_named(line.at("token_labels")));
    for (const auto& run : line.at("runs")) {
      const Labels predictions = made_predictions(
          run, ner_row_labels(token_labels, run.at("max_seq_length")), line.at("index"));
      if (run.contains("error")) {
        EXPECT_THROW(ner_character_predictions(words, predictions), UsageError);
        continue;
      }
      const Labels spread = ner_character_predictions(words, predictions);
      EXPECT_EQ(spread, run.at("character_preds").get<Labels>());
      EXPECT_EQ(ner_character_gold(sentence.labels, spread.size()),
                run.at("character_labels").get<Labels>());
    }
  }
}

TEST_F(KlueNerGolden, ScoresOfTheDevSet) {
  KLUE_SHARED_DATA_OR_SKIP(file, "goldens/metrics/ner_dev.jsonl");
  KLUE_SHARED_DATA_OR_SKIP(dev, "data/corpora/klue-ner-v1.1_dev.tsv");
  const auto all = sentences(dev);
  std::vector<std::vector<NerWord>> words;
  for (const NerSentence& sentence : all)
    words.push_back(ner_words(*tokenizer(), sentence.text));
  for (const auto& line : test::json_lines(file)) {
    SCOPED_TRACE(line.dump().substr(0, 100));
    Labels predictions, gold;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Labels row = made_predictions(
          line,
          ner_row_labels(ner_token_labels(words[i], all[i].labels), line.at("max_seq_length")), i);
      const Labels spread = ner_character_predictions(words[i], row);
      const Labels truth = ner_character_gold(all[i].labels, spread.size());
      predictions.insert(predictions.end(), spread.begin(), spread.end());
      gold.insert(gold.end(), truth.begin(), truth.end());
    }
    EXPECT_EQ(predictions.size(), line.at("characters"));
    Hash of_predictions, of_gold;
    of_predictions.add(predictions);
    of_gold.add(gold);
    EXPECT_EQ(of_predictions.text(), line.at("character_preds_fnv1a"));
    EXPECT_EQ(of_gold.text(), line.at("character_labels_fnv1a"));
    EXPECT_SAME_NUMBER(metrics::entity_macro_f1(gold, predictions),
                       golden_number(line.at("entity_macro_f1")));
    EXPECT_SAME_NUMBER(metrics::character_macro_f1(gold, predictions),
                       golden_number(line.at("character_macro_f1")));
  }
}

}  // namespace
}  // namespace klue::baseline
