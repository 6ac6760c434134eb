#pragma once

#include <cstddef>
#include <memory>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/encoder_inputs.hpp>
#include <klue/core/precision.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/encoder/outputs.hpp>
#include <klue/linear/engine.hpp>

namespace klue {

namespace detail {
class EncoderCore;
}

/// How an encoder is made.
struct EncoderOptions {
  Engine engine = Engine::automatic;     ///< what multiplies the weights
  Precision precision = Precision::f32;  ///< of what is multiplied
  /// Tokens computed together; longer inputs are worked through in parts of whole sentences.
  std::size_t batch_tokens = 256;
  /// As in LoadOptions.
  std::size_t weight_expansion = 4;
};

/// A RoBERTa, BERT or ELECTRA encoder. Immutable after construction: any number of threads may call
/// it.
class KLUE_EXPORT Encoder {
 public:
  /// Packs the weights of a checkpoint. Throws FormatError for a tensor that is missing or does not
  /// have the shape that `config` asks for.
  Encoder(EncoderConfig config, Checkpoint checkpoint, std::shared_ptr<const ThreadPool> pool,
          const EncoderOptions& options = {});
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();

  /// The shape that it has.
  const EncoderConfig& config() const noexcept;
  /// Whether it can give a pooled_output.
  bool has_pooler() const noexcept;

  /// Throws UsageError that says what to use instead where the checkpoint has no pooler.
  void require_pooler() const;

  /// Runs a padded batch, as `bert_pack_inputs` makes it. Throws UsageError for inputs whose sizes
  /// disagree, ids outside the model's tables, a row without tokens, a sequence longer than the
  /// position table, and for a pooled_output that the checkpoint cannot give.
  EncoderOutputs operator()(const EncoderInputs& inputs, const OutputOptions& options = {}) const;

  /// The same encoder as the library's own rooms use it: on tokens without padding.
  const detail::EncoderCore& core() const noexcept { return *core_; }

 private:
  std::shared_ptr<const detail::EncoderCore> core_;
};

}  // namespace klue
