#pragma once

#include <cstddef>
#include <cstdint>

#include <klue/train/detail/numeric.hpp>

namespace klue::detail {

/// Where in the network numbers are dropped.
enum class DropSite : std::uint64_t {
  embeddings,
  attention,
  attention_output,
  output,
  head,
  head_out
};

/// Dropout of one rate in one step. Whether a number is dropped depends on seed, step, layer, site,
/// the sequence's stream, the token (and head) and the place in the row, and on nothing else: not
/// on the batch, the threads, or whether it is asked in the forward or in the backward pass.
template <class T>
class Dropping {
 public:
  Dropping() = default;
  Dropping(double rate, std::uint64_t seed, std::uint64_t step)
      : on_(rate > 0),
        threshold_(static_cast<std::uint32_t>(rate * 4294967296.0)),
        scale_(static_cast<T>(1 / (1 - rate))),
        key_(mix(seed, step)) {}

  explicit operator bool() const { return on_; }

  /// The stream of random numbers of one sequence at one site.
  std::uint64_t stream(DropSite site, std::size_t layer, std::uint64_t sequence) const {
    return mix(mix(mix(key_, static_cast<std::uint64_t>(site)), layer), sequence);
  }

  void apply(T* row, std::size_t count, std::uint64_t stream, std::size_t index) const {
    if (on_) Numeric<T>::dropout(row, count, mix(stream, index), threshold_, scale_);
  }

 private:
  bool on_ = false;
  std::uint32_t threshold_ = 0;
  T scale_ = 1;
  std::uint64_t key_ = 0;
};

}  // namespace klue::detail
