#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/language.hpp>
#include <klue/train/numbers.hpp>
#include <klue/train/objective.hpp>

namespace klue::train {

/// One parameter of a network.
struct Parameter {
  std::string name;  ///< as Hugging Face has it: "roberta.encoder.layer.0.output.dense.weight"
  std::vector<std::size_t> shape;    ///< row-major
  std::size_t offset = 0, size = 0;  ///< in elements of Parameters
  bool decays = true;                ///< weight decay: no bias, no layer norm
  bool trained = true;               ///< what is not stays as it is
  double rate = 1;                   ///< its learning rate is this times the training's
  bool from_file = false;            ///< else freshly drawn
  std::size_t depth = 0;             ///< embeddings 0, layer i at i + 1, the head above all
  bool table = false;                ///< rows that are looked up, most of which have no gradient
};

/// All parameters of a network with their gradients, one after another in memory. Names are those
/// of the checkpoint that Hugging Face's class for this head writes; for Head::embedding without
/// prefix.
template <class T>
class KLUE_EXPORT Parameters {
 public:
  /// Reads what is there under any known prefix; the matrices of a head that is not there are drawn
  /// from a normal distribution of deviation 0.02, from `seed`, and its biases are 0. Throws
  /// FormatError where the encoder is incomplete or a tensor has another shape.
  Parameters(const NetworkConfig& config, const Checkpoint& checkpoint, std::uint64_t seed);

  /// All, in the order of their offsets.
  std::span<Parameter> entries() noexcept { return entries_; }
  /// All, in the order of their offsets.
  std::span<const Parameter> entries() const noexcept { return entries_; }
  /// Throws UsageError where there is none of that name.
  std::size_t index(std::string_view name) const;
  /// What stands before the encoder's names: "roberta.".
  const std::string& prefix() const noexcept { return prefix_; }

  /// Elements of all.
  std::size_t size() const noexcept { return values_.size(); }
  /// Its elements.
  T* values(const Parameter& p) noexcept { return values_.data() + p.offset; }
  /// Its elements.
  const T* values(const Parameter& p) const noexcept { return values_.data() + p.offset; }
  /// Of its elements.
  T* gradients(const Parameter& p) noexcept { return gradients_.data() + p.offset; }
  /// Of its elements.
  const T* gradients(const Parameter& p) const noexcept { return gradients_.data() + p.offset; }

 private:
  void add(std::string name, std::vector<std::size_t> shape, std::size_t depth, bool table = false);
  void list_encoder(const EncoderConfig& config);
  void list_head(const NetworkConfig& config);

  std::vector<Parameter> entries_;
  std::string prefix_;
  Numbers<T> values_, gradients_;
};

}  // namespace klue::train
