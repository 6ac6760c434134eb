// Any bytes as what KLUE's files hold: a named-entity file, a sentence with two entities, a
// question with its context, and an answer. Each is read, or refused as the original refuses it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/klue_metrics.hpp>
#include <klue/task/klue_mrc.hpp>
#include <klue/task/klue_ner.hpp>
#include <klue/task/klue_re.hpp>

#include "text/small_tokenizer.hpp"

namespace {

using namespace klue;
using namespace klue::baseline;

void require(bool condition) {
  if (!condition) std::abort();
}

const Tokenizer& tokenizer() {
  static const Tokenizer made = re_tokenizer(test::small_tokenizer(
      {"a", "##a", "aa", "가", "##가", "가나", "##나", "나", "은", "##은", "!", ".", "#", "大"}));
  return made;
}

// What the library refuses is fine; what it takes goes on to `use`.
template <class Use>
void try_to(const Use& use) {
  try {
    use();
  } catch (const FormatError&) {
  } catch (const UsageError&) {
  }
}

void entities(std::string_view text) {
  for (const NerSentence& sentence : parse_ner(text, "fuzz")) {
    const std::vector<NerWord> words = ner_words(tokenizer(), sentence.text);
    try_to([&] {
      const auto row = ner_row_labels(ner_token_labels(words, sentence.labels), 16);
      const auto characters = ner_character_predictions(words, row);
      metrics::entity_macro_f1(ner_character_gold(sentence.labels, characters.size()), characters);
    });
  }
}

void relation(std::string_view text) {
  if (text.size() < 4) return;
  const auto number = [text](std::size_t i) {
    return static_cast<std::int64_t>(static_cast<signed char>(text[i]) % 8);
  };
  const ReInput input =
      re_input(tokenizer(), text.substr(4), {number(0), number(1)}, {number(2), number(3)}, 12);
  require(input.ids.size() <= 12);
}

void reading(std::string_view text) {
  const std::string_view question = text.substr(0, text.size() / 4);
  const std::string_view context = text.substr(text.size() / 4);
  const MrcOptions options{.max_seq_length = 12, .doc_stride = 3, .max_query_length = 4};
  const MrcDocument document = mrc_document(tokenizer(), question, context, options);
  std::vector<MrcLogits> logits(document.windows.size());
  unsigned state = static_cast<unsigned>(text.size());
  for (MrcLogits& window : logits)
    for (std::size_t place = 0; place < 12; ++place)
      for (auto* values : {&window.start, &window.end})
        values->push_back(static_cast<float>((state = state * 1103515245u + 12345u) >> 28));
  const MrcAnswer answer = mrc_answer(document, logits, options);
  require(answer.best.size() >= 2 && answer.best.size() <= options.n_best_size + 1);
  const metrics::AnswerScore score =
      metrics::answer_score(answer.text, std::vector<std::string>{std::string(question)});
  require(score.rouge_w >= 0 && score.rouge_w <= 1);
  mrc_targets(tokenizer(), document, context, question, text.size() % 16);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_to([text] { entities(text); });
  try_to([text] { relation(text); });
  try_to([text] { reading(text); });
  return 0;
}
