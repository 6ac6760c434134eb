#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include <klue/train/detail/vector_ops.hpp>

namespace klue::detail {

/// The loops of VectorOps in any scalar, slow and obvious: what float64 runs on, and what the fast
/// ones are compared with.
template <class T>
struct PlainNumeric {
  static void gelu(const T* x, T* y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      y[i] = x[i] * below(x[i]);
  }
  static void gelu_backward(const T* x, T* dy, std::size_t count) {
    const T scale = T(0.39894228040143267793994605993438);  // 1 / √(2π)
    for (std::size_t i = 0; i < count; ++i)
      dy[i] *= below(x[i]) + x[i] * std::exp(x[i] * x[i] / T(-2)) * scale;
  }
  static double softmax(T* x, std::size_t count, T scale) {
    T largest = x[0], sum = 0;
    for (std::size_t i = 1; i < count; ++i)
      largest = x[i] > largest ? x[i] : largest;
    for (std::size_t i = 0; i < count; ++i)
      sum += x[i] = std::exp((x[i] - largest) * scale);
    for (std::size_t i = 0; i < count; ++i)
      x[i] /= sum;
    return static_cast<double>(largest * scale + std::log(sum));
  }
  static void softmax_backward(const T* p, T* dp, std::size_t count, T scale) {
    T mean = 0;
    for (std::size_t i = 0; i < count; ++i)
      mean += p[i] * dp[i];
    for (std::size_t i = 0; i < count; ++i)
      dp[i] = p[i] * (dp[i] - mean) * scale;
  }
  static T layer_norm(const T* x, std::size_t columns, const T* gamma, const T* beta, T epsilon,
                      T* normal, T* y) {
    T mean = 0, variance = 0;
    for (std::size_t i = 0; i < columns; ++i)
      mean += x[i];
    mean /= static_cast<T>(columns);
    for (std::size_t i = 0; i < columns; ++i)
      variance += (x[i] - mean) * (x[i] - mean);
    const T inverse = T(1) / std::sqrt(variance / static_cast<T>(columns) + epsilon);
    for (std::size_t i = 0; i < columns; ++i) {
      normal[i] = (x[i] - mean) * inverse;
      y[i] = normal[i] * gamma[i] + beta[i];
    }
    return inverse;
  }
  static void layer_norm_backward(const T* dy, const T* normal, T inverse, const T* gamma,
                                  std::size_t columns, T* dx, T* dgamma, T* dbeta) {
    T mean = 0, slope = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      dgamma[i] += dy[i] * normal[i];
      dbeta[i] += dy[i];
      mean += dy[i] * gamma[i];
      slope += dy[i] * gamma[i] * normal[i];
    }
    mean /= static_cast<T>(columns);
    slope /= static_cast<T>(columns);
    for (std::size_t i = 0; i < columns; ++i)
      dx[i] = (dy[i] * gamma[i] - mean - normal[i] * slope) * inverse;
  }
  static void add(const T* x, T* y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      y[i] += x[i];
  }
  static void add_scaled(T factor, const T* x, T* y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      y[i] += factor * x[i];
  }
  static void dropout(T* x, std::size_t count, std::uint64_t key, std::uint32_t threshold,
                      T scale) {
    for (std::size_t i = 0; i < count; ++i)
      x[i] = stream_number(key, static_cast<std::uint32_t>(i)) < threshold ? T(0) : x[i] * scale;
  }
  static double sum_of_squares(const T* x, std::size_t count) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
      sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
  }
  static void adamw(T* p, const T* g, T* m, T* v, std::size_t count, const AdamWConstants& c) {
    for (std::size_t i = 0; i < count; ++i) {
      const T gradient = g[i] * static_cast<T>(c.gradient_scale);
      m[i] = m[i] * static_cast<T>(c.beta1) + gradient * static_cast<T>(1 - c.beta1);
      v[i] = v[i] * static_cast<T>(c.beta2) + gradient * gradient * static_cast<T>(1 - c.beta2);
      const T root = std::sqrt(v[i]) * static_cast<T>(c.root_correction);
      p[i] = p[i] * static_cast<T>(c.keep) -
             static_cast<T>(c.step_size) * m[i] / (root + static_cast<T>(c.epsilon));
    }
  }

 private:
  /// Φ(x), without cancellation on either side.
  static T below(T x) { return std::erfc(x * T(-0.70710678118654752440084436210485)) / T(2); }
};

template <class T>
struct Numeric : PlainNumeric<T> {};

template <>
struct Numeric<float> {
  static void gelu(const float* x, float* y, std::size_t count) { vector_ops().gelu(x, y, count); }
  static void gelu_backward(const float* x, float* dy, std::size_t count) {
    vector_ops().gelu_backward(x, dy, count);
  }
  static double softmax(float* x, std::size_t count, float scale) {
    return vector_ops().softmax(x, count, scale);
  }
  static void softmax_backward(const float* p, float* dp, std::size_t count, float scale) {
    vector_ops().softmax_backward(p, dp, count, scale);
  }
  static float layer_norm(const float* x, std::size_t columns, const float* gamma,
                          const float* beta, float epsilon, float* normal, float* y) {
    return vector_ops().layer_norm(x, columns, gamma, beta, epsilon, normal, y);
  }
  static void layer_norm_backward(const float* dy, const float* normal, float inverse,
                                  const float* gamma, std::size_t columns, float* dx, float* dgamma,
                                  float* dbeta) {
    vector_ops().layer_norm_backward(dy, normal, inverse, gamma, columns, dx, dgamma, dbeta);
  }
  static void add(const float* x, float* y, std::size_t count) { vector_ops().add(x, y, count); }
  static void add_scaled(float factor, const float* x, float* y, std::size_t count) {
    vector_ops().add_scaled(factor, x, y, count);
  }
  static void dropout(float* x, std::size_t count, std::uint64_t key, std::uint32_t threshold,
                      float scale) {
    vector_ops().dropout(x, count, key, threshold, scale);
  }
  static double sum_of_squares(const float* x, std::size_t count) {
    return vector_ops().sum_of_squares(x, count);
  }
  static void adamw(float* p, const float* g, float* m, float* v, std::size_t count,
                    const AdamWConstants& c) {
    vector_ops().adamw(p, g, m, v, count, c);
  }
};

}  // namespace klue::detail
