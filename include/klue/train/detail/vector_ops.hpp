#pragma once

#include <cstddef>
#include <cstdint>

namespace klue::detail {

/// What one AdamW step does to every element of a parameter.
struct AdamWConstants {
  double gradient_scale;  ///< what clipping leaves of the gradient
  double keep;            ///< 1 − lr · decay
  double beta1, beta2;
  double step_size;        ///< lr / (1 − beta1^t)
  double root_correction;  ///< 1 / √(1 − beta2^t)
  double epsilon;
};

/// The float32 loops of training that are not products, in the code of one instruction set.
/// Matrices are rows of `columns` numbers, one after another unless a stride is given. Every result
/// is a fixed order of operations, whatever is computed beside it.
struct VectorOps {
  /// y = x · Φ(x).
  void (*gelu)(const float* x, float* y, std::size_t count);
  /// dy becomes dy · (Φ(x) + x · φ(x)).
  void (*gelu_backward)(const float* x, float* dy, std::size_t count);
  /// x becomes softmax(scale · x); returns log Σ exp(scale · x).
  double (*softmax)(float* x, std::size_t count, float scale);
  /// dp becomes scale · p · (dp − Σ p · dp).
  void (*softmax_backward)(const float* p, float* dp, std::size_t count, float scale);
  /// One row: normal = (x − mean) / √(variance + epsilon), y = normal · gamma + beta; returns what
  /// the deviation is multiplied with. normal may be x.
  float (*layer_norm)(const float* x, std::size_t columns, const float* gamma, const float* beta,
                      float epsilon, float* normal, float* y);
  /// One row: dx from dy, which may be the same; adds to the sums dgamma and dbeta.
  void (*layer_norm_backward)(const float* dy, const float* normal, float inverse,
                              const float* gamma, std::size_t columns, float* dx, float* dgamma,
                              float* dbeta);
  /// y += x.
  void (*add)(const float* x, float* y, std::size_t count);
  /// y += factor · x.
  void (*add_scaled)(float factor, const float* x, float* y, std::size_t count);
  /// x[i] becomes scale · x[i] or 0, as the i-th number of the stream `key` says: it is dropped
  /// where that number is below `threshold`.
  void (*dropout)(float* x, std::size_t count, std::uint64_t key, std::uint32_t threshold,
                  float scale);
  double (*sum_of_squares)(const float* x, std::size_t count);
  void (*adamw)(float* p, const float* g, float* m, float* v, std::size_t count,
                const AdamWConstants& constants);
};

/// Of the instruction set that kernels::active() chose.
const VectorOps& vector_ops();

/// The i-th number of a stream is hash(key, i): no state, so that any part of a mask can be made
/// anew. The finaliser is Chris Wellons' lowbias32.
constexpr std::uint32_t stream_number(std::uint64_t key, std::uint32_t i) {
  std::uint32_t x = i * 0x9e3779b9u + static_cast<std::uint32_t>(key);
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x += static_cast<std::uint32_t>(key >> 32);
  x *= 0x846ca68bu;
  x ^= x >> 16;
  return x;
}

/// SplitMix64's finaliser over a chain of numbers: the key of a stream.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a + 0x9e3779b97f4a7c15u * (b + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace klue::detail
