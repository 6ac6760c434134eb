#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/core/texts.hpp>
#include <klue/model.hpp>
#include <klue/task/token_logits.hpp>
#include <klue/text/offset.hpp>

namespace klue {

/// How the tokens' labels become entities.
enum class Aggregation : unsigned char {
  none,     ///< one entity per token, under its own label ("B-PS")
  simple,   ///< neighbours of one kind are one entity ("PS")
  first,    ///< the same, but of words: a word has the label of its first token
  average,  ///< … the label that is best on average over its tokens
  max       ///< … the label of the token that is surest
};

/// A part of a text that has a label.
struct Entity {
  std::string label;  ///< "PS"; with Aggregation::none "B-PS"
  double score = 0;   ///< between 0 and 1
  /// The tokens joined again, as the original shows them: not always the text itself ("딸 ( 32").
  std::string word;
  Offset offset{};       ///< bytes of the text
  Offset code_points{};  ///< the same in code points, Python's `str`
};

/// How entities are read off the labels of tokens.
struct TagOptions {
  Aggregation aggregation = Aggregation::simple;  ///< what an entity is made of
  std::vector<std::string> ignore_labels{"O"};    ///< entities that are left out
  /// Tokens of a window, special ones included. Set without a stride: the text is cut there, as
  /// the original cuts it. Unset: the whole text is read, in windows as long as the model.
  std::optional<std::size_t> max_length{};
  /// Tokens that a window shares with the one before. Unset where max_length is unset, too: a
  /// quarter of it.
  std::optional<std::size_t> stride{};
};

/// Named entities and other labels of tokens: RobertaForTokenClassification and
/// BertForTokenClassification.
///
///     const klue::Tagger tagger(klue::Model::load("my-ner"));
///     for (const klue::Entity& e : tagger.tag("이순신은 조선 중기의 무신이다."))
///       std::cout << e.word << " " << e.label << "\n";
///
/// Answers as the token-classification pipeline of transformers does; docs/tasks.md has the rules,
/// and what is done with texts longer than the model. Immutable: any number of threads may use one.
class KLUE_EXPORT Tagger {
 public:
  /// Shares the model and packs the head. Throws UsageError where it has no such head, saying which
  /// it has; FormatError where the head is damaged or config.json names other labels than it has
  /// rows.
  explicit Tagger(Model model);
  Tagger(Tagger&&) noexcept;
  Tagger& operator=(Tagger&&) noexcept;
  ~Tagger();

  /// The entities of each text, in the order of the text. Throws UsageError for a pair, and for a
  /// length or stride that cannot be kept.
  std::vector<std::vector<Entity>> tag(const Texts& texts, const TagOptions& options = {}) const;
  /// The same for one text.
  template <detail::TextLike Text>
  std::vector<Entity> tag(const Text& text, const TagOptions& options = {}) const {
    return tag_one(text, options);
  }

  /// The windows of one text, as `tag` makes them, with logits [tokens, labels].
  std::vector<TokenLogits> logits(std::string_view text, const TagOptions& options = {}) const;

  /// id2label of config.json; LABEL_0, LABEL_1, … where it names none.
  const std::vector<std::string>& labels() const noexcept;

  /// The model that this was made of.
  const Model& model() const noexcept;

 private:
  std::vector<Entity> tag_one(std::string_view text, const TagOptions& options) const;

  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace klue
