#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <klue/core/activation.hpp>
#include <klue/core/language.hpp>
#include <klue/core/precision.hpp>

namespace klue::kernels {

/// Levels of instruction sets that the numeric code is compiled for. One binary holds all that its
/// processor family has; the best one that the processor can run is chosen at the first use.
enum class Isa : std::uint8_t {
  baseline,  ///< what every processor of the family has: SSE2, or Advanced SIMD
  avx2,      ///< AVX2 and FMA, and nothing later: no VNNI
  avx_vnni,  ///< AVX2 with the 8-bit products of AVX_VNNI
  avx512,    ///< AVX-512, with its VNNI and BF16 where the processor has them
  dotprod,   ///< Arm's 8-bit products of vectors (FEAT_DotProd)
  i8mm       ///< Arm's products of 8-bit and of bfloat16 matrices (FEAT_I8MM, FEAT_BF16)
};

/// y = activation(x · Wᵀ + bias) + residual for a range of output features, by a Product.
///
/// In every precision x is rows of 32-bit groups (one float32, two bfloat16 or four 8-bit numbers).
/// Strides of y and residual are in floats. y may be the residual.
struct Gemm {
  const void* x;
  std::size_t rows;
  std::size_t x_stride;  ///< in groups
  std::size_t groups;    ///< of a row: Product::groups(in_features)
  const void* panels;    ///< packed weights of all output features
  const float* bias;     ///< [panels × panel_width], 64-byte aligned
  std::size_t out_features;
  const float* residual;  ///< [rows, out_features], or nullptr
  std::size_t residual_stride;
  float* y;
  std::size_t y_stride;
  Activation activation;
  std::size_t first_panel, last_panel;  ///< which panels of output features to compute
  // int8 only: x[r] ≈ row_scale[r] × (q − row_zero[r]), W[n] ≈ column_scale[n] × q. The rows' are
  // not looked at where activations are multiplied as they are.
  const float* row_scale;
  const float* row_zero;
  // The columns' are [panels × panel_width], 64-byte aligned.
  const float* column_scale;
  const float* column_sum;  ///< Σ of the quantised weights of each output feature
};

/// The matrix product of one precision and instruction set.
struct Product {
  Precision precision;
  const char* form;                ///< for people, after "int8 by ": "maddubs"
  std::size_t panel_width;         ///< output features in one packed panel
  std::size_t group_numbers;       ///< numbers in a 32-bit group of x
  std::size_t group_multiple = 1;  ///< rows are padded to a multiple of so many groups
  std::size_t weight_bytes = 4;    ///< of the packed weights of one group and output feature
  /// Whether x and the panels are plain [rows, groups] and [groups, panel_width] groups of numbers
  /// of the precision, which another engine can add up and hand to `finish`.
  bool plain_groups = true;

  std::size_t groups(std::size_t in_features) const {
    const std::size_t whole = (in_features + group_numbers - 1) / group_numbers;
    return (whole + group_multiple - 1) / group_multiple * group_multiple;
  }
  std::size_t panel_bytes(std::size_t in_features) const {
    return groups(in_features) * panel_width * weight_bytes;
  }

  /// Packs `count` ≤ panel_width weight rows of `in_features` floats, `in_features` apart, into
  /// panel_bytes(in_features); missing rows and numbers become zero. For int8 also fills
  /// column_scale and column_sum, panel_width of each.
  void (*pack_panel)(const float* rows, std::size_t count, std::size_t in_features, void* panel,
                     float* column_scale, float* column_sum);
  /// The same of columns: any `count` of a matrix of `in_features` rows, `row_stride` floats apart,
  /// as panels one after another. nullptr in the forms that training does not multiply with.
  void (*pack_columns)(const float* matrix, std::size_t row_stride, std::size_t in_features,
                       std::size_t count, void* panels) = nullptr;
  /// Converts rows of activations to [rows, groups] groups; for int8 also fills row_scale and
  /// row_zero. nullptr where activations are multiplied as they are, in float32.
  void (*convert_rows)(const float* x, std::size_t rows, std::size_t x_stride,
                       std::size_t in_features, void* converted, float* row_scale, float* row_zero);
  void (*gemm)(const Gemm&);
  /// What gemm does after its sums, for sums that something else has computed: y from
  /// Σ x[first_row + r] · W[n], float32 (int32 for int8), at sums[r × stride + n − first_panel ×
  /// panel_width], up to last_panel. gemm's x, stride and panels are not looked at.
  void (*finish)(const Gemm&, const void* sums, std::size_t stride, std::size_t first_row,
                 std::size_t rows);
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
  float* scratch;  ///< Attention::scratch(keys, head_size) floats, 64-byte aligned
};

/// One way to multiply in it.
struct Attention {
  /// Enough for as many keys and for fewer.
  std::size_t (*scratch)(std::size_t keys, std::size_t head_size);
  void (*head)(const AttentionHead&);
};

/// Which products of rows and packed vectors, rows · Vᵀ × row_scale, are above their thresholds.
struct Search {
  const float* rows;  ///< [row_count, columns]
  std::size_t row_count, row_stride, columns;
  const float* row_scale;  ///< [row_count]
  const void* panels;      ///< the vectors V, packed by the f32 Product
  std::size_t panel_count;
  /// [panel_count × panel_width], infinite where there is no vector. They may rise in the meantime.
  const float* thresholds;
  /// Called for each that is above; for each vector in the order of the rows.
  void (*found)(void* context, std::size_t row, std::size_t vector, float score);
  void* context;
};

/// The numeric code of one instruction set. Each row of an output depends on its own input row
/// alone, and in the same order of operations however many rows are computed together, so that a
/// sentence's result is the same bits in any batch.
struct Table {
  Isa isa;
  const char* name;  ///< for people: "AVX-512"
  const Product* f32;
  const Product* bf16;
  const Product* int8;
  Precision automatic;  ///< the fastest of them that keeps int8's promise of accuracy
  const Attention* attention;
  const Attention* low_attention;  ///< of bf16 and int8; `attention` where nothing is faster
  /// y = (x − mean) / sqrt(variance + epsilon) × gamma + beta, biased variance, per row. y may be
  /// x.
  void (*layer_norm)(const float* x, std::size_t rows, std::size_t columns, const float* gamma,
                     const float* beta, float epsilon, float* y);
  /// to[c × to_stride + r] = from[r × from_stride + c]: 32-bit groups, whatever they hold.
  void (*transpose)(const float* from, std::size_t from_stride, std::size_t rows,
                    std::size_t columns, float* to, std::size_t to_stride);
  /// In place.
  void (*activate)(Activation activation, float* x, std::size_t count);
  void (*find_above)(const Search&);
};

/// The tables this build has and this processor can run, the best one last.
std::span<const Table* const> available();

/// The table everything uses: the best available, unless the environment variable KLUE_ISA names
/// another by isa_name (for tests and measurements). Throws UnsupportedError when that one is not
/// available. Decided once per process.
/// Exported for klue::train, which is a library of its own.
KLUE_EXPORT const Table& active();

/// The product of a precision under a table. Every table has one for each: where the processor has
/// no instruction for it, weights stay small in memory and are widened as they are multiplied.
constexpr const Product& product_of(const Table& table, Precision precision) {
  return precision == Precision::bf16   ? *table.bf16
         : precision == Precision::int8 ? *table.int8
                                        : *table.f32;
}

/// The same under the active table.
KLUE_EXPORT const Product& product(Precision precision);

/// A table's attention beside the products of a precision.
constexpr const Attention& attention_of(const Table& table, Precision precision) {
  return precision == Precision::f32 ? *table.attention : *table.low_attention;
}

/// "avx_vnni": how KLUE_ISA spells it.
const char* isa_name(Isa isa);

/// "AVX2, int8 by maddubs": what a table multiplies by, for people.
std::string describe(const Table& table, Precision precision);

}  // namespace klue::kernels
