#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>
#include <klue/text/tokenizer.hpp>

/// Machine reading as KLUE's official baseline does it: the windows and the answers of transformers
/// 3.5.1 (`data/processors/squad.py`, `data/metrics/squad_metrics.py`) with KLUE-baseline's
/// settings. They are not those of today's pipeline, which klue::Answerer follows.
///
/// Everything here throws UsageError for what cannot be done.
namespace klue::baseline {

/// The baseline's settings; defaults are its own.
struct MrcOptions {
  std::size_t max_seq_length = 510;    ///< tokens of a window; 512 with klue/bert-base
  std::size_t doc_stride = 128;        ///< tokens from where a window begins to where the next does
  std::size_t max_query_length = 64;   ///< tokens of the question that are kept
  std::size_t n_best_size = 20;        ///< starts and ends that are tried, answers that are kept
  std::size_t max_answer_length = 30;  ///< in tokens
};

/// One window: [CLS] question [SEP] tokens of the context [SEP], without padding.
struct MrcWindow {
  std::vector<std::int32_t> ids;  ///< [CLS] question [SEP] piece of the context [SEP]
  std::size_t context_at = 0;     ///< place of the first token of the context, the second segment
  std::size_t first_token = 0;    ///< which of the context's tokens that is
  std::size_t tokens = 0;         ///< of the context in this window
  std::size_t readable = 0;       ///< places before the first [PAD], which a text may spell out
  std::vector<bool> max_context;  ///< [tokens] whether no other window shows more around it
};

/// A question and its context, cut into windows.
struct MrcDocument {
  std::vector<std::string> words;        ///< of the context
  std::vector<std::string> pieces;       ///< its tokens: "##은"
  std::vector<std::size_t> word_of;      ///< [pieces] the number of its word
  std::vector<std::size_t> first_piece;  ///< [words] the number of its first token
  std::vector<MrcWindow> windows;        ///< in the order of the context
};

/// Refuses a context without a token, for which the original has no window.
KLUE_EXPORT MrcDocument mrc_document(const Tokenizer& tokenizer, std::string_view question,
                                     std::string_view context, const MrcOptions& options = {});

/// The logits of one window, padding included as far as it is computed: the original looks for the
/// best among all places, and what falls outside the context takes a place away.
struct MrcLogits {
  std::vector<float> start, end;  ///< logits, of each token of the window
};

/// One of the best answers.
struct MrcCandidate {
  std::string text;                       ///< as the context has it
  double start_logit = 0, end_logit = 0;  ///< of the tokens that it begins and ends with
};

/// What the baseline would answer.
struct MrcAnswer {
  std::string text;                ///< "" where the context has none
  double score_diff = 0;           ///< how much better having none is than the best answer
  std::vector<MrcCandidate> best;  ///< best first
};

/// `logits` has one for each window.
KLUE_EXPORT MrcAnswer mrc_answer(const MrcDocument& document, std::span<const MrcLogits> logits,
                                 const MrcOptions& options = {});

/// Where the answer begins and ends in a window: 0 and 0, [CLS], where it is not there as a whole.
struct MrcTarget {
  std::size_t start = 0, end = 0;  ///< tokens of the window
  bool impossible = true;          ///< the answer is not in this window

  bool operator==(const MrcTarget&) const = default;
};

/// What each window is trained to say. `answer` begins at the code point `answer_start` of the
/// context; unset: there is none. Nothing where the original drops the example, because the answer
/// does not stand there.
KLUE_EXPORT std::optional<std::vector<MrcTarget>> mrc_targets(
    const Tokenizer& tokenizer, const MrcDocument& document, std::string_view context,
    std::optional<std::string_view> answer, std::size_t answer_start = 0);

}  // namespace klue::baseline
