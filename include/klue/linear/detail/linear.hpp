#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <klue/core/activation.hpp>
#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/precision.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/linear/engine.hpp>

namespace klue::detail {

/// Rows of a float matrix in memory; `stride` floats from one row to the next.
struct ConstRows {
  const float* data = nullptr;
  std::size_t count = 0, stride = 0;
};
struct Rows {
  float* data = nullptr;
  std::size_t count = 0, stride = 0;
  operator ConstRows() const { return {data, count, stride}; }
};

/// A stride for rows of `features` numbers of 32 bits. Rows that are a multiple of 2 KiB apart
/// share a few sets of the first-level cache, which then cannot hold the dozen rows that are
/// multiplied together; one cache line more spreads them.
constexpr std::size_t spread_stride(std::size_t features) {
  return features % 512 == 0 ? features + 16 : features;
}

/// What happens to a product before it is stored.
struct Epilogue {
  Activation activation = Activation::none;
  ConstRows residual{};  ///< added last; no residual where data is nullptr
};

using Scratch = AlignedBuffer<std::byte>;

/// Rows in the form that a layer multiplies. What is behind the pointers is the engine's.
struct Prepared {
  const void* data = nullptr;
  std::size_t count = 0, stride = 0;  ///< rows, and from one to the next in 32-bit groups
  const float* scale = nullptr;       ///< int8 only: row r ≈ scale[r] × (data − zero[r])
  const float* zero = nullptr;
};

/// y = activation(x · Wᵀ + b) + residual, the weights packed once for the engine that multiplies
/// them. Immutable, and callable from any number of threads at once.
class Linear {
 public:
  virtual ~Linear() = default;
  std::size_t in_features() const noexcept { return in_features_; }
  std::size_t out_features() const noexcept { return out_features_; }

  /// The stride of x that is read fastest; in_features or spread_stride(in_features).
  virtual std::size_t input_stride() const noexcept = 0;

  /// Of the packed weights. What a library behind the engine keeps for itself is not counted.
  virtual std::size_t memory_bytes() const noexcept = 0;

  /// x: [rows, in_features]. Where that needs a conversion it is made in `scratch`, the caller's,
  /// which grows to its largest use; x and scratch must stay as they are while the result is used.
  /// Layers of the same engine, precision and in_features can share it.
  virtual Prepared prepare(ConstRows x, Scratch& scratch, const ThreadPool& pool) const = 0;

  /// y and the residual: [rows, out_features]. y may be the residual but not x. Splits the output
  /// features among the threads, so that one short sentence gains too.
  virtual void multiply(const Prepared& x, Rows y, const Epilogue& epilogue,
                        const ThreadPool& pool) const = 0;

  void apply(ConstRows x, Rows y, const Epilogue& epilogue, Scratch& scratch,
             const ThreadPool& pool) const {
    multiply(prepare(x, scratch, pool), y, epilogue, pool);
  }

 protected:
  Linear(std::size_t in_features, std::size_t out_features)
      : in_features_(in_features), out_features_(out_features) {}

 private:
  std::size_t in_features_, out_features_;
};

/// Where an engine takes the weights from. Every row of W is read once, by several threads at once.
struct LinearSource {
  std::size_t in_features = 0, out_features = 0;
  /// Fills rows.size() / in_features rows of W, those of output features from `first` on.
  std::function<void(std::size_t first, std::span<float> rows)> read_rows{};
  std::function<void(std::span<float> bias)> read_bias{};  ///< empty: no bias
};

/// Packs the weights for an engine. The source is read once and not kept. Throws UnsupportedError,
/// naming what can be used instead, where engine and processor cannot multiply in that precision.
std::unique_ptr<const Linear> make_linear(Engine engine, Precision precision,
                                          const LinearSource& source, const ThreadPool& pool);

/// What Precision::automatic means of an engine here; any other precision is what it says.
Precision chosen_precision(Engine engine, Precision precision);

/// "packed, AVX-512, f32": what `make_linear` would use here, for people.
std::string describe_engine(Engine engine, Precision precision);

}  // namespace klue::detail
