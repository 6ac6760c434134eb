#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/text/tokenizer.hpp>

/// Between KLUE's named-entity files and its scores, as the official baseline goes there and back
/// (KLUE-baseline, `data/klue_ner.py` and `models/named_entity_recognition.py`): labels of
/// characters become labels of tokens, and predictions for tokens become predictions for
/// characters. What is odd about it, above all behind an [UNK], is kept; docs/evaluation.md names
/// it. Labels are numbers in the order of klue::metrics::kNerLabels, O the last.
///
/// Everything here throws UsageError for what the original cannot do.
namespace klue::baseline {

/// B-PS I-PS B-LC I-LC B-OG I-OG B-DT I-DT B-TI I-TI B-QT I-QT O.
KLUE_EXPORT std::span<const std::string_view> ner_label_names() noexcept;

/// One sentence of a file: its text, and a label for each of its characters but U+0020.
struct NerSentence {
  std::string name;                  ///< "klue-ner-v1_dev_00000-wikitree"
  std::string text;                  ///< the characters, joined
  std::vector<std::int32_t> labels;  ///< of each character
};

/// Reads KLUE's file: lines of a character, a tab and a label ("B-PS"), an empty line between
/// sentences, ## before comments. Throws FormatError with `file` and the line.
KLUE_EXPORT std::vector<NerSentence> parse_ner(std::string_view content, const std::string& file);

/// What U+0020 sets apart in a sentence, tokenized by itself. There may be nothing in it.
struct KLUE_EXPORT NerWord {
  std::u32string text;                 ///< code points
  std::vector<std::int32_t> ids;       ///< of its tokens
  std::vector<std::u32string> pieces;  ///< "##은"
  /// Which of the pieces are the unknown token. Where one is, all rules are others.
  std::vector<bool> unknown;

  /// Whether [UNK] is among its tokens.
  bool has_unknown() const;
};

/// The words of a sentence, as the baseline splits it.
KLUE_EXPORT std::vector<NerWord> ner_words(const Tokenizer& tokenizer, std::string_view sentence);

/// [CLS], the tokens of all words, [SEP], at most `max_seq_length`: the end is cut.
KLUE_EXPORT std::vector<std::int32_t> ner_input_ids(const Tokenizer& tokenizer,
                                                    std::span<const NerWord> words,
                                                    std::size_t max_seq_length = 510);

/// A label for every token: that of its first character, but in a word with an unknown token that
/// of the word's first character.
KLUE_EXPORT std::vector<std::int32_t> ner_token_labels(
    std::span<const NerWord> words, std::span<const std::int32_t> character_labels);

/// What a model should predict for a row of `max_seq_length`: O at 0, the labels of the tokens that
/// fit, O to the end.
KLUE_EXPORT std::vector<std::int32_t> ner_row_labels(std::span<const std::int32_t> token_labels,
                                                     std::size_t max_seq_length = 510);

/// Predictions for a row of tokens, padding included, as predictions for characters: that of the
/// first place, those of the characters of all tokens that fit, that of the row's last place (which
/// the original takes for [SEP]). Refuses a word whose alignment would never end in the original.
KLUE_EXPORT std::vector<std::int32_t> ner_character_predictions(std::span<const NerWord> words,
                                                                std::span<const std::int32_t> row);

/// What `size` such predictions are compared with: O, the first size - 2 labels, O. Refuses to give
/// more than there are.
KLUE_EXPORT std::vector<std::int32_t> ner_character_gold(
    std::span<const std::int32_t> character_labels, std::size_t size);

/// The pieces of a word that has an unknown one, with [+UNK] for each further character that an
/// unknown piece stands for, as the original thinks.
KLUE_EXPORT std::vector<std::u32string> aligned_pieces(const NerWord& word);

}  // namespace klue::baseline
