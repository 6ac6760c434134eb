#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include <klue/core/language.hpp>
#include <klue/core/tensor.hpp>
#include <klue/model.hpp>
#include <klue/task/klue_inputs.hpp>
#include <klue/text/tokenizer.hpp>

namespace klue::baseline {

/// A model with the head for one task.
///
///     const klue::baseline::Runner runner(klue::Model::load("my-nli"), Benchmark::nli);
///     const auto input = klue::baseline::text_input(runner.tokenizer(), premise, hypothesis);
///     const klue::Tensor logits = runner.logits({&input, 1});
///
/// Immutable: any number of threads may use one.
class KLUE_EXPORT Runner {
 public:
  /// Shares the model. Labels that config.json names as KLUE does are brought into KLUE's order;
  /// LABEL_0, LABEL_1, … are taken to be in it. Throws UsageError where the model has no head for
  /// the task, or one with other labels or another number of outputs, FormatError where the head is
  /// damaged.
  Runner(Model model, Benchmark benchmark);
  Runner(Runner&&) noexcept;
  Runner& operator=(Runner&&) noexcept;
  ~Runner();

  /// The one that it was made for.
  Benchmark benchmark() const noexcept;

  /// KLUE-baseline's setting: 128 for YNAT, NLI and STS, 256 for RE, 510 for NER and MRC, but 512
  /// for MRC with a BERT.
  std::size_t max_seq_length() const noexcept;

  /// The model's own; for RE with the four entity markers.
  const Tokenizer& tokenizer() const noexcept;

  /// Of a task whose labels are of whole texts (YNAT, NLI, STS, RE): [inputs, labels], in KLUE's
  /// order. Throws UsageError for another task, and for an input that the model has no place for.
  Tensor logits(std::span<const ModelInput> inputs) const;

  /// Of a task whose labels are of tokens (NER, MRC): hands sink(index, [max_seq_length, labels])
  /// the logits of each input, as of a row that is padded to that length; in any order. The
  /// original reads padding, too. Memory does not grow with the number of inputs. Throws as
  /// `logits` does.
  void token_logits(std::span<const ModelInput> inputs, std::size_t max_seq_length,
                    const std::function<void(std::size_t, const Tensor&)>& sink) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace klue::baseline
