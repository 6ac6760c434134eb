#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

/// "[2, 16, 768]"
KLUE_EXPORT std::string shape_string(std::span<const std::size_t> shape);

/// A dense float32 array in C order that owns its memory. What the encoder returns.
class KLUE_EXPORT Tensor {
 public:
  Tensor() = default;

  /// All elements zero. Throws UsageError where no memory could hold so many elements.
  explicit Tensor(std::vector<std::size_t> shape);
  /// The same for a braced list: Tensor{2, 768}.
  Tensor(std::initializer_list<std::size_t> shape);

  /// Extents, outermost first.
  const std::vector<std::size_t>& shape() const noexcept { return shape_; }
  /// Dimensions.
  std::size_t rank() const noexcept { return shape_.size(); }
  /// Numbers in all.
  std::size_t size() const noexcept { return values_.size(); }
  /// Whether there are none.
  bool empty() const noexcept { return values_.empty(); }

  /// The first number; all follow in C order.
  float* data() noexcept { return values_.data(); }
  /// The first number; all follow in C order.
  const float* data() const noexcept { return values_.data(); }
  /// All numbers, in C order.
  std::span<float> values() noexcept { return {values_.data(), values_.size()}; }
  /// All numbers, in C order.
  std::span<const float> values() const noexcept { return {values_.data(), values_.size()}; }

  /// The contiguous part at these leading indices: of a [batch, seq, hidden] tensor, `at(b)` is a
  /// whole sentence and `at(b, t)` one token's vector. Throws UsageError outside the shape.
  template <class... Index>
  std::span<const float> at(Index... index) const {
    return slice({static_cast<std::size_t>(index)...});
  }
  /// The same, to be written to.
  template <class... Index>
  std::span<float> at(Index... index) {
    const std::span<const float> part = std::as_const(*this).at(index...);
    return {const_cast<float*>(part.data()), part.size()};
  }

 private:
  std::span<const float> slice(std::initializer_list<std::size_t> index) const;

  std::vector<std::size_t> shape_;
  std::vector<float> values_;
};

}  // namespace klue
