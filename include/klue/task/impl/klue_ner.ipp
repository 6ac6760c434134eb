// Characters to tokens and back, after KLUE-baseline's data/klue_ner.py and
// models/named_entity_recognition.py.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/detail/code_points.hpp>
#include <klue/task/klue_metrics.hpp>
#include <klue/task/klue_ner.hpp>

namespace klue::baseline {
namespace {

constexpr std::int32_t kNerOutside = metrics::kNerLabels - 1;
constexpr std::u32string_view kFurtherUnknown = U"[+UNK]";

// The I- form of a label; O stays O.
std::int32_t inside(std::int32_t label) {
  return label == kNerOutside ? label : label | 1;
}

// The characters that a piece stands for: Python's replace("##", "").
std::size_t characters_of(std::u32string_view piece) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < piece.size(); ++i)
    if (piece.substr(i).starts_with(U"##"))
      ++i;
    else
      ++count;
  return count;
}

NerWord ner_word(const Tokenizer& tokenizer, std::string_view text) {
  NerWord word;
  word.text = detail::code_points_of(text);
  word.ids = tokenizer.tokenize(text).ids;
  for (const std::int32_t id : word.ids) {
    word.pieces.push_back(detail::code_points_of(tokenizer.token(id)));
    word.unknown.push_back(id == tokenizer.special_ids().unk);
  }
  return word;
}

// Goes through a row of predictions for tokens and writes those for characters.
class CharacterWriter {
 public:
  explicit CharacterWriter(std::span<const std::int32_t> row) : row_(row) {
    output_.push_back(row.front());
  }

  void add(const NerWord& word) {
    if (full()) return;
    if (word.has_unknown())
      add_aligned(word);
    else
      add_plain(word);
  }

  std::vector<std::int32_t> take() {
    output_.push_back(row_.back());
    return std::move(output_);
  }

 private:
  bool full() const { return place_ + 1 >= row_.size(); }

  void add_plain(const NerWord& word) {
    for (std::size_t t = 0; t < word.pieces.size() && !full(); ++t, ++place_)
      for (std::size_t i = characters_of(word.pieces[t]), first = i; i > 0; --i)
        output_.push_back(i == first ? row_[place_] : inside(row_[place_]));
  }

  // One character for each aligned piece, however long it is. Only the second known piece behind an
  // unknown one moves on, so that both read the same prediction, and behind a word that ends in an
  // unknown one every word to come is read one place too early.
  void add_aligned(const NerWord& word) {
    const std::u32string unknown = unknown_piece(word);
    bool behind_unknown = false;
    for (const std::u32string& piece : aligned_pieces(word)) {
      if (full()) return;
      if (piece == unknown) {
        output_.push_back(row_[place_]);
        behind_unknown = true;
      } else if (piece == kFurtherUnknown) {
        output_.push_back(inside(row_[place_]));
      } else if (behind_unknown) {
        output_.push_back(row_[++place_]);
        behind_unknown = false;
      } else {
        output_.push_back(row_[place_++]);
      }
    }
  }

  static std::u32string unknown_piece(const NerWord& word) {
    const auto found = std::find(word.unknown.begin(), word.unknown.end(), true);
    return word.pieces[static_cast<std::size_t>(found - word.unknown.begin())];
  }

  std::span<const std::int32_t> row_;
  std::size_t place_ = 1;
  std::vector<std::int32_t> output_;
};

}  // namespace

bool NerWord::has_unknown() const {
  return std::find(unknown.begin(), unknown.end(), true) != unknown.end();
}

std::vector<NerWord> ner_words(const Tokenizer& tokenizer, std::string_view sentence) {
  std::vector<NerWord> words;
  for (;;) {
    const std::size_t end = sentence.find(' ');
    words.push_back(ner_word(tokenizer, sentence.substr(0, end)));
    if (end == sentence.npos) return words;
    sentence.remove_prefix(end + 1);
  }
}

std::vector<std::int32_t> ner_input_ids(const Tokenizer& tokenizer, std::span<const NerWord> words,
                                        std::size_t max_seq_length) {
  std::vector<std::int32_t> ids{tokenizer.special_ids().cls};
  for (const NerWord& word : words)
    for (const std::int32_t id : word.ids)
      if (ids.size() + 1 < max_seq_length) ids.push_back(id);
  ids.push_back(tokenizer.special_ids().sep);
  return ids;
}

std::vector<std::int32_t> ner_token_labels(std::span<const NerWord> words,
                                           std::span<const std::int32_t> character_labels) {
  std::vector<std::int32_t> labels;
  std::size_t character = 0;
  for (const NerWord& word : words) {
    const bool has_unknown = word.has_unknown();
    for (const std::u32string& piece : word.pieces) {
      const std::size_t characters = characters_of(piece);
      if (characters == 0) {
        labels.push_back(kNerOutside);
        continue;
      }
      if (character >= character_labels.size())
        throw UsageError(
            "more characters in the tokens than have a label",
            {.field = "character_labels", .actual = std::to_string(character_labels.size())});
      labels.push_back(character_labels[character]);
      if (!has_unknown) character += characters;
    }
    if (has_unknown) character += word.text.size();
  }
  return labels;
}

std::vector<std::int32_t> ner_row_labels(std::span<const std::int32_t> token_labels,
                                         std::size_t max_seq_length) {
  std::vector<std::int32_t> row(max_seq_length, kNerOutside);
  if (max_seq_length > 2)
    std::copy_n(token_labels.begin(), std::min(token_labels.size(), max_seq_length - 2),
                row.begin() + 1);
  return row;
}

std::vector<std::u32string> aligned_pieces(const NerWord& word) {
  const auto never_ends = [&word] {
    throw UsageError("the original's alignment of a word with an unknown token fails or never ends",
                     {.field = detail::utf8_of(word.text)});
  };
  std::vector<std::u32string> aligned;
  std::size_t i = 0, j = 0;  // in the characters, in the pieces
  const std::size_t last = word.pieces.size() - 1;
  for (bool further = false; i != word.text.size() || j != last;) {
    const std::size_t step = word.unknown[j] ? 1 : characters_of(word.pieces[j]);
    aligned.emplace_back(further ? kFurtherUnknown : word.pieces[j]);
    i += step;
    if (j < last && word.unknown[j] && !word.unknown[j + 1]) {
      if (i >= word.text.size()) never_ends();
      further = word.text[i] != word.pieces[j + 1].front();
      j += further ? 0 : 1;
    } else if (j < last) {
      ++j;
      further = false;
    } else {  // the original steps behind the last piece, and back
      further = true;
      if (step == 0) never_ends();
    }
    if (i > word.text.size()) never_ends();
  }
  return aligned;
}

std::vector<std::int32_t> ner_character_predictions(std::span<const NerWord> words,
                                                    std::span<const std::int32_t> row) {
  if (row.size() < 2) throw UsageError("a row needs room for [CLS] and [SEP]", {.field = "row"});
  CharacterWriter writer(row);
  for (const NerWord& word : words)
    writer.add(word);
  return writer.take();
}

std::vector<std::int32_t> ner_character_gold(std::span<const std::int32_t> character_labels,
                                             std::size_t size) {
  if (size < 2 || size - 2 > character_labels.size())
    throw UsageError("more predictions than characters",
                     {.field = "character_labels",
                      .expected = std::to_string(size - 2),
                      .actual = std::to_string(character_labels.size())});
  std::vector<std::int32_t> gold(size, kNerOutside);
  std::copy_n(character_labels.begin(), size - 2, gold.begin() + 1);
  return gold;
}

}  // namespace klue::baseline
