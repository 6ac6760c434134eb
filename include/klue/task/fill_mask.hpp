#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/core/tensor.hpp>
#include <klue/core/texts.hpp>
#include <klue/model.hpp>

namespace klue {

/// What a mask may stand for.
struct Filling {
  std::int32_t token = 0;  ///< id
  std::string token_text;  ///< "##체": with the prefix of a piece that continues a word
  double score = 0;        ///< of the whole vocabulary's sum of 1
  /// The text with this mask filled, decoded from its tokens: spaces are the decoder's. Special
  /// tokens and other masks are kept in it where there are several masks.
  std::string sequence;
};

/// Which words come into question.
struct FillMaskOptions {
  std::size_t top_k = 5;  ///< words for each mask
  /// Pieces that may be chosen; none: all. One that is no piece of the vocabulary is tokenized and
  /// its first piece taken.
  std::vector<std::string> targets{};
};

/// Where a text has masks, and what the head says of each.
struct MaskLogits {
  std::vector<std::size_t> positions;  ///< among the tokens, special ones included
  Tensor logits;                       ///< [masks, vocabulary]
};

/// Masks to words: the language model's head of RobertaForMaskedLM (klue/roberta-base as it is
/// published) and BertForMaskedLM, its decoder stored or tied to the word embeddings.
///
///     const klue::MaskFiller filler(klue::Model::load("klue-roberta-base"));
///     filler.fill("대한민국의 수도는 [MASK]이다.")[0][0].token_text;   // of the first mask, the
///     best
///
/// The product with the vocabulary is made for masks alone. Answers as the fill-mask pipeline of
/// transformers does; docs/tasks.md has the rules. Immutable: any number of threads may use one.
class KLUE_EXPORT MaskFiller {
 public:
  /// Shares the model and packs the head, the vocabulary's matrix included (98 MB for the base
  /// model). Throws UsageError where it has no such head, saying which it has; FormatError where
  /// the head is damaged or the tokenizer has no mask.
  explicit MaskFiller(Model model);
  MaskFiller(MaskFiller&&) noexcept;
  MaskFiller& operator=(MaskFiller&&) noexcept;
  ~MaskFiller();

  /// For each mask of a text, in their order, what it may stand for, best first, each filled alone.
  /// Throws UsageError for a pair, a text without a mask or longer than the model, for which
  /// nothing is cut, and targets of which none has a token.
  std::vector<std::vector<std::vector<Filling>>> fill(const Texts& texts,
                                                      const FillMaskOptions& options = {}) const;
  /// The same for one text.
  template <detail::TextLike Text>
  std::vector<std::vector<Filling>> fill(const Text& text,
                                         const FillMaskOptions& options = {}) const {
    return fill_one(text, options);
  }

  /// The logits of all words at each mask of a text. Throws UsageError where it has none.
  MaskLogits logits(std::string_view text) const;

  /// The model that this was made of.
  const Model& model() const noexcept;

 private:
  std::vector<std::vector<Filling>> fill_one(std::string_view text,
                                             const FillMaskOptions& options) const;

  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace klue
