#pragma once

#include <cstddef>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// What the engines share: a Product prepares the rows, packs the weights panel by panel and
/// finishes the sums. Engines differ in how they add up the sums.
class ProductLinear : public Linear {
 public:
  Prepared prepare(ConstRows x, Scratch& scratch, const ThreadPool& pool) const final;
  std::size_t memory_bytes() const noexcept final;

 protected:
  ProductLinear(const kernels::Product& product, const LinearSource& source);

  /// Of what the engine made of the weights.
  virtual std::size_t weight_bytes() const noexcept = 0;

  const kernels::Product& product() const { return product_; }
  std::size_t groups() const { return groups_; }
  std::size_t panel_count() const { return panel_count_; }
  std::size_t panel_bytes() const;

  /// Reads and packs one panel. `rows`: panel_width × in_features floats of scratch.
  void pack_panel(const LinearSource& source, std::size_t panel, float* rows, void* packed);

  /// All panels of the product; the packed weights are the engine's to add.
  kernels::Gemm gemm(const Prepared& x, Rows y, const Epilogue& epilogue) const;

 private:
  const kernels::Product& product_;
  std::size_t groups_, panel_count_;
  AlignedBuffer<float> column_scale_;  // [panels × panel_width], int8 only
  AlignedBuffer<float> column_sum_;
  AlignedBuffer<float> bias_;  // [panels × panel_width]
};

}  // namespace klue::detail
