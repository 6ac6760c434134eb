#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/text/tokenizer.hpp>

/// What KLUE's official baseline makes of a sentence whose two entities stand in a relation
/// (KLUE-baseline, `data/klue_re.py`). A model that was fine-tuned on its inputs wants the same.
namespace klue::baseline {

/// A place in a sentence, in code points as Python counts them: the last is the last character
/// itself. Negative ones count from the end, and an end before the start marks nothing.
struct ReEntity {
  std::int64_t start = 0, last = 0;  ///< code points
};

/// The 30 relations in KLUE's order (relation_list.json), no_relation first.
KLUE_EXPORT std::span<const std::string_view> re_label_names() noexcept;

/// The sentence with `<subj>` `</subj>` and `<obj>` `</obj>` around its entities. Where they
/// overlap, the shared text stands there twice, as in the original. Throws UsageError for equal
/// places.
KLUE_EXPORT std::string mark_entities(std::string_view sentence, const ReEntity& subject,
                                      const ReEntity& object);

/// The tokenizer with `<subj>`, `</subj>`, `<obj>` and `</obj>` as special tokens, which are added
/// behind all others (32000 to 32003 for KLUE's vocabulary) where it does not know them already.
KLUE_EXPORT Tokenizer re_tokenizer(const Tokenizer& tokenizer);

/// An input of the model, and how it came about.
struct ReInput {
  std::string marked_text;  ///< with the baseline's marks around both entities
  /// Of the whole marked text. A syllable piece right behind an end marker has become a "##" piece,
  /// whether or not the vocabulary knows it.
  std::vector<std::string> tokens;
  /// [CLS], the tokens, [SEP]: cut from the end, markers or not. Without padding.
  std::vector<std::int32_t> ids;
};

/// `tokenizer` must know the markers. Throws UsageError where the original fails: for equal places,
/// and where nothing, or nothing that gives a token, follows an end marker, as in a sentence that
/// ends in an entity.
KLUE_EXPORT ReInput re_input(const Tokenizer& tokenizer, std::string_view sentence,
                             const ReEntity& subject, const ReEntity& object,
                             std::size_t max_seq_length = 256);

}  // namespace klue::baseline
