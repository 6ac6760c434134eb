#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace klue::kernels {

/// Instruction sets the numeric code is compiled for. One binary holds all that its processor
/// family has; the best one that the processor can run is chosen at the first use.
enum class Isa : std::uint8_t { baseline, avx2, avx512 };

enum class Activation : std::uint8_t { none, gelu, tanh, relu };

/// y = activation(x · Wᵀ + bias) + residual for a range of output features, W packed by
/// `pack_panel`. All strides are in floats. `y` may be `residual`, but not `x`.
struct Gemm {
  const float* x;
  std::size_t rows, x_stride;
  std::size_t in_features;
  const float* panels;  ///< of all output features
  const float* bias;    ///< [out_features], or nullptr
  std::size_t out_features;
  const float* residual;  ///< [rows, out_features], or nullptr
  std::size_t residual_stride;
  float* y;
  std::size_t y_stride;
  Activation activation;
  std::size_t first_panel, last_panel;  ///< which panels of output features to compute
};

/// Attention of one head of one sentence: out = softmax(q · Kᵀ × scale) · V.
struct AttentionHead {
  const float* query;  ///< [queries, head_size]
  std::size_t query_stride, queries;
  const float* key;    ///< row r of the sentence at key + r × key_value_stride
  const float* value;  ///< likewise
  std::size_t key_value_stride;
  const std::uint32_t* key_rows;  ///< the rows that may be attended to
  std::size_t keys;               ///< how many of them; at least 1
  std::size_t head_size;
  float scale;
  float* out;  ///< [queries, head_size]
  std::size_t out_stride;
  float* scratch;  ///< attention_scratch(keys, head_size) floats, 64-byte aligned
};

/// The numeric code of one instruction set. Values are float32 throughout; each row of an output
/// depends on its own input row alone, and in the same order of operations however many rows are
/// computed together, so that a sentence's result is the same bits in any batch.
struct Table {
  Isa isa;
  const char* name;
  std::size_t panel_width;  ///< output features in one packed panel

  /// Interleaves `count` ≤ panel_width weight rows of `in_features` floats, `row_stride` apart, as
  /// [in_features, panel_width]; missing rows become zero.
  void (*pack_panel)(const float* rows, std::size_t row_stride, std::size_t count,
                     std::size_t in_features, float* panel);
  void (*gemm)(const Gemm&);
  std::size_t (*attention_scratch)(std::size_t keys, std::size_t head_size);
  void (*attention_head)(const AttentionHead&);
  /// y = (x − mean) / sqrt(variance + epsilon) × gamma + beta, biased variance, per row. y may be
  /// x.
  void (*layer_norm)(const float* x, std::size_t rows, std::size_t columns, const float* gamma,
                     const float* beta, float epsilon, float* y);
  /// In place. GELU is x/2 × (1 + erf(x/√2)), no tanh approximation.
  void (*activate)(Activation activation, float* x, std::size_t count);
};

/// The tables this build has and this processor can run, the best one last.
std::span<const Table* const> available();

/// The table everything uses: the best available, unless the environment variable KLUE_ISA names
/// another ("baseline", "avx2", "avx512"; for tests and measurements). Throws UnsupportedError when
/// that one is not available. Decided once per process.
const Table& active();

}  // namespace klue::kernels
