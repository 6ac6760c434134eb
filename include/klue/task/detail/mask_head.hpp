#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/model.hpp>
#include <klue/model/detail/vector_pipeline.hpp>
#include <klue/task/detail/fillings.hpp>

namespace klue::detail {

/// The head of a masked language model: decoder(norm(activation(dense(row)))) over the vocabulary.
/// RobertaLMHead, BertLMPredictionHead, and the generator's of ELECTRA.
class MaskHead {
 public:
  /// Packs the head, in float32 whatever the encoder's precision. The decoder is the word
  /// embeddings unless config.json says that they are not tied. Throws FormatError for a tensor
  /// that is missing or has another shape.
  explicit MaskHead(const Model& model);

  std::size_t vocabulary() const noexcept { return decoder_.linear->out_features(); }

  /// Hands sink(text, mask, logits) the logits [vocabulary] of every mask of every text, in their
  /// order; they are valid only during the call. Only rows with a mask reach the last layer's end.
  /// sink is called by several threads at once.
  void run(const Model& model, std::span<const MaskedText> texts,
           const std::function<void(std::size_t text, std::size_t mask, std::span<const float>)>&
               sink) const;

 private:
  // Where the masks of each text begin among all, [texts + 1], and their rows of the last layer.
  struct MaskRows {
    std::vector<std::size_t> first;
    AlignedBuffer<float> values;
  };
  MaskRows encode(const Model& model, std::span<const MaskedText> texts) const;

  Dense transform_, decoder_;
  AlignedBuffer<float> gamma_, beta_;
  float epsilon_;
};

}  // namespace klue::detail
