#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>

/// The scores of the KLUE benchmark, digit for digit as its official baseline computes them
/// (github.com/KLUE-benchmark/KLUE-baseline, commit 8a03c94, `metrics/functional.py` and
/// `metrics/utils.py`, with the scikit-learn 0.24.1, seqeval and scipy that it stands on). A score
/// compares with published ones only if it comes out of exactly these steps, so what is odd about
/// them is kept; docs/evaluation.md names it.
///
/// All scores are percentages in float64, NaN where they are not defined. Labels are numbers in
/// KLUE's order, the same number of them on both sides. Everything here throws UsageError, which
/// names the argument, for sides of unequal length, a label outside its range, and what the
/// original refuses.
namespace klue::metrics {

/// YNAT: 정치 경제 사회 생활문화 세계 IT과학 스포츠.
inline constexpr std::int32_t kYnatLabels = 7;
/// NLI: entailment contradiction neutral.
inline constexpr std::int32_t kNliLabels = 3;
/// NER: B-PS I-PS B-LC I-LC B-OG I-OG B-DT I-DT B-TI I-TI B-QT I-QT O.
inline constexpr std::int32_t kNerLabels = 13;
/// RE: no_relation, then the 29 relations of KLUE's relation_list.json.
inline constexpr std::int32_t kReLabels = 30;

// ------------------------------------------------------------------------------------- YNAT, NLI

/// YNAT: the mean of the F1 of the labels that occur on either side, not of all seven. NaN where
/// there is nothing.
KLUE_EXPORT double macro_f1(std::span<const std::int32_t> gold,
                            std::span<const std::int32_t> predictions);

/// NLI: the share of equal labels. NaN where there is nothing.
KLUE_EXPORT double accuracy(std::span<const std::int32_t> gold,
                            std::span<const std::int32_t> predictions);

// ------------------------------------------------------------------------------------------- STS

/// Pearson's correlation of the raw logits with the real-valued labels, to the last digits but one
/// or two. NaN where one side is constant; ±100 for two points. Fewer than two points, a NaN or an
/// infinity are refused.
KLUE_EXPORT double pearson(std::span<const float> gold, std::span<const float> predictions);

/// The F1 of being similar, which is 3 or more. 0 where nothing is, on neither side.
KLUE_EXPORT double f1_at_3(std::span<const float> gold, std::span<const float> predictions);

// -------------------------------------------------------------------------------------------- RE

/// The F1 of the relations taken together, no_relation left out: it earns nothing itself, but a
/// relation that is missed or invented costs. 0 where nothing is predicted or there is nothing to
/// find.
KLUE_EXPORT double micro_f1(std::span<const std::int32_t> gold,
                            std::span<const std::int32_t> predictions);

/// The mean over all 30 classes, no_relation too, of the area under the curve of precision over
/// recall, as scikit-learn 0.24.1 draws it. `probabilities`, [examples, 30], need not sum to 1. A
/// class without an example makes the whole NaN; a probability that is not finite and a set
/// without examples are refused.
KLUE_EXPORT double auprc(std::span<const std::int32_t> gold, std::span<const float> probabilities);

// ------------------------------------------------------------------------------------------- NER

/// The mean of the F1 of whole entities over their types, where a type that forms no entity on
/// either side does not count. The characters of all sentences stand in one row; an entity begins
/// with a B- and goes on over the I- of its type, an I- elsewhere is nothing. NaN without entities.
KLUE_EXPORT double entity_macro_f1(std::span<const std::int32_t> gold,
                                   std::span<const std::int32_t> predictions);

/// The mean of the F1 of all 13 character labels, O included. A label on neither side counts 100,
/// one on one side alone 0.
KLUE_EXPORT double character_macro_f1(std::span<const std::int32_t> gold,
                                      std::span<const std::int32_t> predictions);

// ------------------------------------------------------------------------------------------- MRC

/// An answer as it is compared: lower case as Python has it, without ASCII punctuation, words
/// joined by one space. Quotes and brackets outside ASCII and particles stay.
KLUE_EXPORT std::string normalized_answer(std::string_view text);

/// How good one answer is, as shares from 0 to 1.
struct AnswerScore {
  double exact_match = 0;  ///< 1 where it equals one of the answers, normalized
  double rouge_w = 0;      ///< of the answer that it is most like

  bool operator==(const AnswerScore&) const = default;
};

/// Scores a prediction against every answer that counts as right; none stand for one that is empty,
/// which is what a question without an answer has.
///
/// ROUGE-W is the F1 of the longest matching block of code points in Python's difflib, which leaves
/// characters that are frequent in an answer of 200 or more out of the search.
KLUE_EXPORT AnswerScore answer_score(std::string_view prediction,
                                     std::span<const std::string> answers);

/// The scores of a whole set, as percentages: the means over type 1, then 2, then 3, each in the
/// order given. `question_types` is empty (all 1) or has one for each question: 1, 2 or 3; 0, -1
/// and -2 count as 3, 2 and 1. NaN where there is nothing.
KLUE_EXPORT AnswerScore answer_scores(std::span<const AnswerScore> scores,
                                      std::span<const std::int32_t> question_types = {});

}  // namespace klue::metrics
