#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <klue/encoder/detail/token_batch.hpp>
#include <klue/model.hpp>
#include <klue/model/detail/vector_pipeline.hpp>
#include <klue/task/token_logits.hpp>
#include <klue/text/encoding.hpp>
#include <klue/text/tokenizer.hpp>

namespace klue::detail {

/// Throws UsageError, saying what there is, where the model's checkpoint has no head for the task.
void require_task(const Model& model, Task task);

/// The names of a head's `rows` labels, LABEL_0, LABEL_1, … where config.json has none. Throws
/// FormatError where it names others than there are rows.
std::vector<std::string> head_labels(const Model& model, std::size_t rows);

/// Makes all type ids 0 where the encoder has one type of token only.
void fit_type_ids(const Model& model, Encoding& encoding);

/// Calls run(batch, sequences) for batches of at most the encoder's batch_tokens, longest sequences
/// first; `sequences` says which are in the batch, in its order. ids(i) and types(i) are spans.
void for_each_batch(
    const Model& model, std::size_t count,
    const std::function<std::span<const std::int32_t>(std::size_t)>& ids,
    const std::function<std::span<const std::int32_t>(std::size_t)>& types,
    const std::function<void(const TokenBatch&, std::span<const std::size_t> sequences)>& run);

/// Windows of many texts that wait for the encoder: as many tokens at a time as keep memory small,
/// and batches still ordered by length.
class WindowQueue {
 public:
  /// run(windows, owners) works on those that have come, in the order in which they came.
  using Run =
      std::function<void(std::span<const Encoding> windows, std::span<const std::size_t> owners)>;
  WindowQueue(const Model& model, Run run) : model_(&model), run_(std::move(run)) {}

  void add(std::size_t owner, Encoding window);
  void add_all(std::size_t owner, const EncodingWindows& windows) {
    for (std::size_t i = 0; i < windows.size(); ++i)
      add(owner, windows[i]);
  }

  /// Runs what waits still.
  void finish();

 private:
  const Model* model_;
  Run run_;
  std::vector<Encoding> windows_;
  std::vector<std::size_t> owners_;
  std::size_t tokens_ = 0;
};

/// A linear layer on every token: logits = W · row of the last layer + b.
class TokenHead {
 public:
  /// Packs the layer, in float32 whatever the encoder's precision. Throws FormatError for a tensor
  /// that is missing or has another shape.
  TokenHead(const Model& model, const DenseNames& names, std::size_t outputs);

  std::size_t outputs() const noexcept { return layer_.linear->out_features(); }

  /// Hands sink(i, logits) the [tokens, outputs] of each encoding, in the order in which they are
  /// computed; they are valid only during the call.
  void run(const Model& model, std::span<const Encoding> encodings,
           const std::function<void(std::size_t, std::span<const float>)>& sink) const;

  /// All windows of a text at once, for who wants the logits themselves.
  std::vector<TokenLogits> logits(const Model& model, const EncodingWindows& windows) const;

 private:
  Dense layer_;
};

}  // namespace klue::detail
