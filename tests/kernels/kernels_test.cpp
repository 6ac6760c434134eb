// Every instruction set this machine has, against slow and obvious versions in double precision.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/kernels/detail/kernels.hpp>

namespace klue::kernels {
using namespace detail;
namespace {

using Values = std::vector<float>;

Values random_values(std::size_t count, unsigned seed, float scale = 1.0f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  Values values(count);
  for (float& x : values)
    x = normal(generator);
  return values;
}

double exact_gelu(double x) {
  return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
}

class Kernels : public testing::TestWithParam<const Table*> {
 protected:
  const Table& table() const { return *GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(, Kernels, testing::ValuesIn(available().begin(), available().end()),
                         [](const auto& test) { return std::string(isa_name(test.param->isa)); });

struct Problem {
  std::size_t rows, in, out;
  Values x, weights, bias, residual;  // weights: [out, in]

  Problem(std::size_t rows_, std::size_t in_, std::size_t out_)
      : rows(rows_),
        in(in_),
        out(out_),
        x(random_values(rows * in, 1)),
        weights(random_values(out * in, 2)),
        bias(random_values(out, 3)),
        residual(random_values(rows * out, 4)) {}

  std::size_t panels(const Product& product) const {
    return (out + product.panel_width - 1) / product.panel_width;
  }

  /// All panels of all rows, whatever the precision needs on the way.
  Values run(const Product& product, Activation activation, bool with_bias, bool with_residual,
             std::size_t first_row, std::size_t row_count, bool in_place = false) const {
    const std::size_t width = product.panel_width;
    const std::size_t groups = product.groups(in), panel_bytes = product.panel_bytes(in);
    AlignedBuffer<std::byte> packed(panels(product) * panel_bytes);
    AlignedBuffer<float> column_scale(panels(product) * width), column_sum(panels(product) * width);
    for (std::size_t first = 0; first < out; first += width)
      product.pack_panel(&weights[first * in], std::min(width, out - first), in,
                         packed.data() + first / width * panel_bytes, column_scale.data() + first,
                         column_sum.data() + first);
    const float* rows_in = &x[first_row * in];
    AlignedBuffer<float> converted(row_count * groups), row_scale(row_count), row_zero(row_count);
    if (product.convert_rows != nullptr)
      product.convert_rows(rows_in, row_count, in, in, converted.data(), row_scale.data(),
                           row_zero.data());
    AlignedBuffer<float> padded_bias(panels(product) * width);
    std::fill_n(padded_bias.data(), padded_bias.size(), 0.0f);
    if (with_bias) std::ranges::copy(bias, padded_bias.data());
    Values y(row_count * out);
    const float* const added = in_place ? y.data() : &residual[first_row * out];
    if (in_place) std::copy_n(&residual[first_row * out], y.size(), y.data());
    product.gemm({.x = product.convert_rows != nullptr ? converted.data() : rows_in,
                  .rows = row_count,
                  .x_stride = groups,
                  .groups = groups,
                  .panels = packed.data(),
                  .bias = padded_bias.data(),
                  .out_features = out,
                  .residual = with_residual ? added : nullptr,
                  .residual_stride = out,
                  .y = y.data(),
                  .y_stride = out,
                  .activation = activation,
                  .first_panel = 0,
                  .last_panel = panels(product),
                  .row_scale = row_scale.data(),
                  .row_zero = row_zero.data(),
                  .column_scale = column_scale.data(),
                  .column_sum = column_sum.data()});
    return y;
  }

  double exact(std::size_t row, std::size_t column, Activation activation, bool with_bias,
               bool with_residual) const {
    double sum = with_bias ? static_cast<double>(bias[column]) : 0.0;
    for (std::size_t k = 0; k < in; ++k)
      sum += static_cast<double>(x[row * in + k]) * static_cast<double>(weights[column * in + k]);
    if (activation == Activation::gelu) sum = exact_gelu(sum);
    if (activation == Activation::tanh) sum = std::tanh(sum);
    if (activation == Activation::relu) sum = std::max(sum, 0.0);
    return sum + (with_residual ? static_cast<double>(residual[row * out + column]) : 0.0);
  }
};

TEST_P(Kernels, GemmAgreesWithTheDefinition) {
  for (const std::size_t rows : {1u, 2u, 5u, 7u, 13u, 14u, 15u, 29u, 43u})
    for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{1, 1},
                                  {8, 3},
                                  {33, 31},
                                  {64, 96},
                                  {17, 50},
                                  {768, 40}}) {
      const Problem problem(rows, in, out);
      for (const Activation activation :
           {Activation::none, Activation::gelu, Activation::tanh, Activation::relu})
        for (const int extras : {0, 1, 2, 3}) {
          const bool bias = extras & 1, residual = extras & 2;
          const Values y = problem.run(*table().f32, activation, bias, residual, 0, rows);
          for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < out; ++c)
              ASSERT_NEAR(static_cast<double>(y[r * out + c]),
                          problem.exact(r, c, activation, bias, residual),
                          2e-6 * std::sqrt(static_cast<double>(in)) * 4 + 2e-6)
                  << rows << "x" << in << "x" << out << " at " << r << ", " << c;
        }
    }
}

TEST_P(Kernels, GemmRowsDoNotDependOnTheirNeighbours) {
  const Problem problem(61, 100, 70);
  const Values together = problem.run(*table().f32, Activation::gelu, true, true, 0, 61);
  for (std::size_t r = 0; r < 61; ++r) {
    const Values alone = problem.run(*table().f32, Activation::gelu, true, true, r, 1);
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), &together[r * 70])) << r;
  }
}

// A few rows are multiplied with up to four panels at once; these are ten panels or more.
TEST_P(Kernels, GemmOfAFewRowsHasTheBitsOfMany) {
  const std::size_t out = 300;
  const Problem problem(61, 100, out);
  const Values together = problem.run(*table().f32, Activation::none, true, true, 0, 61);
  for (const std::size_t count : {1u, 2u, 3u, 4u})
    for (std::size_t first = 0; first + count <= 61; first += count) {
      const Values few = problem.run(*table().f32, Activation::none, true, true, first, count);
      ASSERT_TRUE(std::equal(few.begin(), few.end(), &together[first * out]))
          << count << " rows from " << first;
    }
}

TEST_P(Kernels, GemmMayWriteOverItsResidual) {
  for (const std::size_t out : {3u, 31u, 50u, 96u}) {
    const Problem problem(17, 20, out);
    EXPECT_EQ(problem.run(*table().f32, Activation::gelu, true, true, 0, 17, true),
              problem.run(*table().f32, Activation::gelu, true, true, 0, 17))
        << out;
  }
}

// So many numbers that they are multiplied in three chunks of rows; those of a part are one chunk.
TEST_P(Kernels, GemmOfManyRowsHasNoSeam) {
  const std::size_t rows = 131, part = 33, out = 5;
  const Problem problem(rows, 8192, out);
  const Values whole = problem.run(*table().f32, Activation::none, true, true, 0, rows);
  for (std::size_t first = 0; first < rows; first += part) {
    const std::size_t count = std::min(part, rows - first);
    const Values alone = problem.run(*table().f32, Activation::none, true, true, first, count);
    ASSERT_TRUE(std::ranges::equal(alone, std::span(whole).subspan(first * out, count * out)))
        << first;
  }
}

TEST_P(Kernels, PanelsOfColumnsAreThoseOfTheTransposedMatrix) {
  constexpr std::size_t kStride = 80, kFirst = 3;
  for (const Product* product : {table().f32, table().bf16}) {
    if (product->pack_columns == nullptr) continue;
    const std::size_t width = product->panel_width;
    for (const std::size_t in : {1u, 2u, 15u, 16u, 31u, 32u, 33u, 70u})
      for (std::size_t count = 1; count <= 2 * width + 3; ++count) {
        const Values matrix = random_values(in * kStride, 1);
        Values rows(count * in);
        for (std::size_t n = 0; n < count; ++n)
          for (std::size_t k = 0; k < in; ++k)
            rows[n * in + k] = matrix[k * kStride + kFirst + n];
        const std::size_t bytes = product->panel_bytes(in);
        const std::size_t panels = (count + width - 1) / width;
        AlignedBuffer<std::byte> of_rows(panels * bytes), of_columns(panels * bytes);
        std::memset(of_rows.data(), 7, panels * bytes);
        std::memset(of_columns.data(), 8, panels * bytes);
        for (std::size_t n = 0; n < count; n += width)
          product->pack_panel(&rows[n * in], std::min(width, count - n), in,
                              of_rows.data() + n / width * bytes, nullptr, nullptr);
        product->pack_columns(&matrix[kFirst], kStride, in, count, of_columns.data());
        ASSERT_EQ(std::memcmp(of_rows.data(), of_columns.data(), panels * bytes), 0)
            << in << " x " << count;
      }
  }
}

TEST_P(Kernels, TransposeWritesItsMatrixAndNothingBeside) {
  constexpr std::size_t kStride = 40;
  for (std::size_t rows = 1; rows <= 35; ++rows)
    for (std::size_t columns = 1; columns <= 35; ++columns) {
      const Values from = random_values(rows * kStride, 1);
      Values to(kStride * kStride, -7.0f);
      table().transpose(from.data(), kStride, rows, columns, to.data(), kStride);
      for (std::size_t r = 0; r < kStride; ++r)
        for (std::size_t c = 0; c < kStride; ++c)
          ASSERT_EQ(to[c * kStride + r], r < rows && c < columns ? from[r * kStride + c] : -7.0f)
              << rows << " x " << columns;
    }
}

TEST_P(Kernels, GemmWritesOnlyItsPanelsAndColumns) {
  const Product& product = *table().f32;
  const std::size_t width = product.panel_width, out = 2 * width + 3, stride = out + 5;
  const Problem problem(4, 10, out);
  AlignedBuffer<float> packed(3 * width * 10);
  for (std::size_t first = 0; first < out; first += width)
    product.pack_panel(&problem.weights[first * 10], std::min(width, out - first), 10,
                       packed.data() + first * 10, nullptr, nullptr);
  AlignedBuffer<float> bias(3 * width);
  std::fill_n(bias.data(), bias.size(), 0.0f);
  Values y(4 * stride, -7.0f);
  Gemm gemm{};
  gemm.x = problem.x.data();
  gemm.rows = 4;
  gemm.x_stride = gemm.groups = 10;
  gemm.panels = packed.data();
  gemm.bias = bias.data();
  gemm.out_features = out;
  gemm.y = y.data();
  gemm.y_stride = stride;
  gemm.first_panel = 1;
  gemm.last_panel = 3;
  product.gemm(gemm);
  for (std::size_t r = 0; r < 4; ++r)
    for (std::size_t c = 0; c < stride; ++c) {
      if (c < width || c >= out)
        ASSERT_EQ(y[r * stride + c], -7.0f);
      else
        ASSERT_NEAR(static_cast<double>(y[r * stride + c]),
                    problem.exact(r, c, Activation::none, false, false), 1e-5);
    }
}

// Every product of a lower precision that this processor can run.
class LowPrecision : public testing::TestWithParam<const Product*> {
 protected:
  const Product& product() const { return *GetParam(); }
};

std::vector<const Product*> low_precision_products() {
  std::vector<const Product*> products;
  for (const Table* table : available())
    for (const Product* product : {table->bf16, table->int8})
      if (std::ranges::find(products, product) == products.end()) products.push_back(product);
  return products;
}

// "avx2_int8": the lowest level that has it.
std::string product_name(const testing::TestParamInfo<const Product*>& test) {
  for (const Table* table : available()) {
    const std::string name = isa_name(table->isa);
    if (table->bf16 == test.param) return name + "_bf16";
    if (table->int8 == test.param) return name + "_int8";
  }
  return "";
}

TEST_P(LowPrecision, GemmAgreesWithinItsRounding) {
  // Of one product of unit normal numbers, relative to 1: 2^-9 twice; half a step of a range of
  // about 8 in 255 parts, and of 4 in 127.
  const double step = product().precision == Precision::bf16 ? 0.004 : 0.03;
  for (const std::size_t rows : {1u, 7u, 14u, 15u, 43u})
    for (const auto& [in, out] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {2, 5}, {7, 33}, {64, 96}, {770, 40}}) {
      const Problem problem(rows, in, out);
      const Values y = problem.run(product(), Activation::none, true, true, 0, rows);
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < out; ++c)
          ASSERT_NEAR(static_cast<double>(y[r * out + c]),
                      problem.exact(r, c, Activation::none, true, true),
                      5 * step * std::sqrt(static_cast<double>(in)) + 1e-5)
              << rows << "x" << in << "x" << out << " at " << r << ", " << c;
    }
}

TEST_P(LowPrecision, GemmRowsDoNotDependOnTheirNeighbours) {
  const Problem problem(61, 100, 70);
  const Values together = problem.run(product(), Activation::gelu, true, true, 0, 61);
  for (std::size_t r = 0; r < 61; ++r) {
    const Values alone = problem.run(product(), Activation::gelu, true, true, r, 1);
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), &together[r * 70])) << r;
  }
}

TEST_P(LowPrecision, GemmOfAFewRowsHasTheBitsOfMany) {
  const std::size_t out = 300;
  const Problem problem(61, 100, out);
  const Values together = problem.run(product(), Activation::none, true, true, 0, 61);
  for (const std::size_t count : {1u, 2u, 3u, 4u})
    for (std::size_t first = 0; first + count <= 61; first += count) {
      const Values few = problem.run(product(), Activation::none, true, true, first, count);
      ASSERT_TRUE(std::equal(few.begin(), few.end(), &together[first * out]))
          << count << " rows from " << first;
    }
}

TEST_P(LowPrecision, GeluIsFarMoreExactThanTheNextRounding) {
  const Problem problem(61, 8, 70);  // sums of all sizes up to 12
  const Values sums = problem.run(product(), Activation::none, true, false, 0, 61);
  const Values y = problem.run(product(), Activation::gelu, true, false, 0, 61);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double exact = exact_gelu(static_cast<double>(sums[i]));
    ASSERT_NEAR(static_cast<double>(y[i]), exact, std::max(1e-6, 5e-6 * exact)) << sums[i];
  }
}

// What 8 bits can hold exactly must come out exactly. Where products are added up in 16 bits,
// activations have fewer codes, and only small weights are kept as they are.
TEST_P(LowPrecision, WholeNumbersAreExact) {
  if (product().precision != Precision::int8) GTEST_SKIP() << "of int8";
  const bool in_16_bits = product().form == std::string("maddubs");
  const int codes = in_16_bits ? 181 : 256, most = in_16_bits ? 13 : 127;
  const std::size_t in = 12;
  Problem problem(3, in, 4);
  std::mt19937 random(1);
  for (float& x : problem.x)
    x = static_cast<float>(static_cast<int>(random() % static_cast<unsigned>(codes)) - 60);
  for (float& w : problem.weights)
    w = static_cast<float>(static_cast<int>(random() % static_cast<unsigned>(2 * most + 1)) - most);
  for (std::size_t r = 0; r < 3; ++r)
    problem.x[r * in] = -60, problem.x[r * in + 1] = static_cast<float>(codes - 61);
  for (std::size_t c = 0; c < 4; ++c)
    problem.weights[c * in] = 127;
  const Values y = problem.run(product(), Activation::none, false, false, 0, 3);
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 4; ++c)
      EXPECT_EQ(static_cast<double>(y[r * 4 + c]),
                problem.exact(r, c, Activation::none, false, false));
}

// Numbers at the ends of their ranges, of one sign: nothing saturates on the way, whatever adds up
// with what. A sum that did would be off by half of itself.
TEST_P(LowPrecision, NoSumSaturates) {
  if (product().precision != Precision::int8) GTEST_SKIP() << "of int8";
  for (const std::size_t in : {4u, 32u, 96u, 100u, 3000u})
    for (const std::size_t period : {1u, 2u, 3u, 8u, 16u}) {
      Problem problem(3, in, 40);
      for (std::size_t i = 0; i < problem.x.size(); ++i)
        problem.x[i] = i % 7 == 6 ? -0.0f : 1.0f;
      for (std::size_t c = 0; c < 40; ++c)
        for (std::size_t k = 0; k < in; ++k)
          problem.weights[c * in + k] =
              (c % 2 == 0 ? 1.0f : -1.0f) * (c % 4 < 2 || k / period % 2 == 0 ? 1.0f : -0.5f);
      const Values y = problem.run(product(), Activation::none, false, false, 0, 3);
      for (std::size_t r = 0; r < 3; ++r)
        for (std::size_t c = 0; c < 40; ++c)
          ASSERT_NEAR(static_cast<double>(y[r * 40 + c]),
                      problem.exact(r, c, Activation::none, false, false),
                      0.02 * static_cast<double>(in))
              << in << ", " << period << ", " << r << ", " << c;
    }
}

INSTANTIATE_TEST_SUITE_P(, LowPrecision, testing::ValuesIn(low_precision_products()), product_name);

TEST_P(Kernels, GeluIsExactToRounding) {
  // Dense around zero and where the two branches meet, sparse far out.
  Values x;
  for (double v = -12; v <= 12; v += 1.0 / 4096)
    x.push_back(static_cast<float>(v));
  for (double v = 1e-30; v < 1; v *= 1.5)
    x.insert(x.end(), {static_cast<float>(v), static_cast<float>(-v)});
  Values y = x;
  table().activate(Activation::gelu, y.data(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = exact_gelu(static_cast<double>(x[i]));
    const double ulp =
        static_cast<double>(std::nextafter(std::abs(static_cast<float>(exact)), 1e30f)) -
        std::abs(static_cast<double>(static_cast<float>(exact)));
    const double error = std::abs(static_cast<double>(y[i]) - exact);
    if (x[i] > -1.0f)
      ASSERT_LE(error, 3 * ulp) << x[i];
    else  // Φ falls off here; what counts is the error of the sum that this goes into
      ASSERT_LE(error, 5e-8) << x[i];
  }
}

TEST_P(Kernels, ActivationsOfExtremes) {
  const float infinity = std::numeric_limits<float>::infinity();
  Values y{1e30f, -1e30f, infinity, std::nanf(""), 0.0f};
  table().activate(Activation::gelu, y.data(), y.size());
  EXPECT_EQ(y[0], 1e30f);
  EXPECT_LE(std::abs(y[1]), 1e-8f);  // 6·Φ(−6)
  EXPECT_EQ(y[2], infinity);
  EXPECT_TRUE(std::isnan(y[3]));
  EXPECT_EQ(y[4], 0.0f);
}

TEST_P(Kernels, LayerNormAgreesWithTheDefinition) {
  for (const std::size_t columns : {1u, 3u, 16u, 32u, 100u, 768u, 1024u}) {
    Values x = random_values(3 * columns, 5, 2.0f);
    x[columns / 2] += 300.0f;  // an outlier feature, as trained models have
    const Values gamma = random_values(columns, 6), beta = random_values(columns, 7);
    Values y(x.size());
    table().layer_norm(x.data(), 3, columns, gamma.data(), beta.data(), 1e-5f, y.data());
    for (std::size_t r = 0; r < 3; ++r) {
      double mean = 0, variance = 0;
      for (std::size_t c = 0; c < columns; ++c)
        mean += static_cast<double>(x[r * columns + c]);
      mean /= static_cast<double>(columns);
      for (std::size_t c = 0; c < columns; ++c)
        variance += std::pow(static_cast<double>(x[r * columns + c]) - mean, 2);
      variance /= static_cast<double>(columns);
      for (std::size_t c = 0; c < columns; ++c) {
        const double exact = (static_cast<double>(x[r * columns + c]) - mean) /
                                 std::sqrt(variance + 1e-5) * static_cast<double>(gamma[c]) +
                             static_cast<double>(beta[c]);
        ASSERT_NEAR(static_cast<double>(y[r * columns + c]), exact, 1e-5 * (1 + std::abs(exact)));
      }
    }
    table().layer_norm(x.data(), 3, columns, gamma.data(), beta.data(), 1e-5f, x.data());
    EXPECT_EQ(x, y);
  }
}

// One vector's finds: rows and scores.
using Found = std::vector<std::pair<std::size_t, float>>;

TEST_P(Kernels, FindsWhatIsAboveItsThreshold) {
  const Product& product = *table().f32;
  for (const std::size_t columns : {1u, 4u, 9u, 256u})
    for (const std::size_t rows : {1u, 2u, 5u, 6u, 7u, 29u})
      for (const std::size_t vectors : {1u, 16u, 33u, 70u}) {
        SCOPED_TRACE(std::to_string(rows) + " × " + std::to_string(columns) + ", " +
                     std::to_string(vectors));
        // Small whole numbers: sums are exact, and many are equal.
        const std::size_t stride = columns + 3, width = product.panel_width;
        Values x = random_values(rows * stride, 11), v = random_values(vectors * columns, 12);
        for (Values* values : {&x, &v})
          for (float& value : *values)
            value = std::nearbyint(2 * value);
        const Values scale = random_values(rows, 13);
        const std::size_t panels = (vectors + width - 1) / width;
        AlignedBuffer<std::byte> packed(panels * product.panel_bytes(columns));
        for (std::size_t p = 0; p < panels; ++p)
          product.pack_panel(v.data() + p * width * columns, std::min(width, vectors - p * width),
                             columns, packed.data() + p * product.panel_bytes(columns), nullptr,
                             nullptr);
        for (const float threshold : {-std::numeric_limits<float>::infinity(), 0.0f, 1.5f}) {
          Values thresholds(panels * width, std::numeric_limits<float>::infinity());
          std::fill_n(thresholds.begin(), vectors, threshold);
          thresholds[0] = std::nanf("");
          std::vector<Found> wanted(vectors), found(vectors);
          for (std::size_t i = 0; i < vectors; ++i)
            for (std::size_t r = 0; r < rows; ++r) {
              float sum = 0;
              for (std::size_t c = 0; c < columns; ++c)
                sum += x[r * stride + c] * v[i * columns + c];
              if (sum * scale[r] > thresholds[i]) wanted[i].emplace_back(r, sum * scale[r]);
            }
          const auto add = [](void* context, std::size_t row, std::size_t vector, float score) {
            (*static_cast<std::vector<Found>*>(context)).at(vector).emplace_back(row, score);
          };
          table().find_above({.rows = x.data(),
                              .row_count = rows,
                              .row_stride = stride,
                              .columns = columns,
                              .row_scale = scale.data(),
                              .panels = packed.data(),
                              .panel_count = panels,
                              .thresholds = thresholds.data(),
                              .found = add,
                              .context = &found});
          EXPECT_EQ(found, wanted) << threshold;
        }
      }
}

TEST_P(Kernels, RaisedThresholdsHoldAtOnce) {
  const Product& product = *table().f32;
  const std::size_t rows = 40, width = product.panel_width;
  const Values x(rows, 1.0f), scale(rows, 1.0f), vectors(width, 1.0f);
  AlignedBuffer<std::byte> packed(product.panel_bytes(1));
  product.pack_panel(vectors.data(), width, 1, packed.data(), nullptr, nullptr);
  struct State {
    Values thresholds;
    std::size_t found = 0;
  } state{Values(width, 0.0f)};
  const auto raise = [](void* context, std::size_t row, std::size_t vector, float score) {
    State& s = *static_cast<State*>(context);
    s.thresholds[vector] = score;
    s.found += 1;
    EXPECT_EQ(row, 0u);
  };
  table().find_above({.rows = x.data(),
                      .row_count = rows,
                      .row_stride = 1,
                      .columns = 1,
                      .row_scale = scale.data(),
                      .panels = packed.data(),
                      .panel_count = 1,
                      .thresholds = state.thresholds.data(),
                      .found = raise,
                      .context = &state});
  EXPECT_EQ(state.found, width);
}

// One head over `rows` rows of a sentence, of which every third is masked, row 0 never.
struct Head {
  std::size_t rows, head_size, stride;
  Values query, key, value;
  std::vector<std::uint32_t> keys;

  Head(std::size_t rows_, std::size_t head_size_)
      : rows(rows_),
        head_size(head_size_),
        stride(head_size + 3),
        query(random_values(rows * stride, 8)),
        key(random_values(rows * stride, 9)),
        value(random_values(rows * stride, 10)) {
    for (std::uint32_t r = 0; r < rows; ++r)
      if (r % 3 != 1) keys.push_back(r);
  }

  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head_size)); }

  /// Of `count` queries from `first` on; what is between the heads is −7.
  Values run(const Attention& attention, std::size_t first, std::size_t count) const {
    AlignedBuffer<float> scratch(attention.scratch(keys.size(), head_size));
    Values out(count * stride, -7.0f);
    attention.head({.query = &query[first * stride],
                    .query_stride = stride,
                    .queries = count,
                    .key = key.data(),
                    .value = value.data(),
                    .key_value_stride = stride,
                    .key_rows = keys.data(),
                    .keys = keys.size(),
                    .head_size = head_size,
                    .scale = scale(),
                    .out = out.data(),
                    .out_stride = stride,
                    .scratch = scratch.data()});
    return out;
  }

  /// Row r of the result.
  std::vector<double> exact(std::size_t r) const {
    std::vector<double> scores, result(head_size);
    for (const std::uint32_t k : keys) {
      double score = 0;
      for (std::size_t f = 0; f < head_size; ++f)
        score +=
            static_cast<double>(query[r * stride + f]) * static_cast<double>(key[k * stride + f]);
      scores.push_back(score * static_cast<double>(scale()));
    }
    const double most = *std::ranges::max_element(scores);
    double sum = 0;
    for (double& score : scores)
      sum += score = std::exp(score - most);
    for (std::size_t i = 0; i < keys.size(); ++i)
      for (std::size_t f = 0; f < head_size; ++f)
        result[f] += scores[i] / sum * static_cast<double>(value[keys[i] * stride + f]);
    return result;
  }
};

TEST_P(Kernels, AttentionAgreesWithTheDefinition) {
  for (const std::size_t head_size : {4u, 8u, 16u, 24u, 40u, 64u})
    for (const std::size_t rows : {1u, 2u, 9u, 31u, 32u, 33u, 65u, 130u, 384u, 400u}) {
      const Head head(rows, head_size);
      const Values out = head.run(*table().attention, 0, rows),
                   low = head.run(*table().low_attention, 0, rows);
      for (std::size_t r = 0; r < rows; ++r) {
        const std::vector<double> exact = head.exact(r);
        for (std::size_t f = 0; f < head.stride; ++f) {
          const std::size_t i = r * head.stride + f;
          if (f >= head_size) {
            ASSERT_EQ(out[i], -7.0f) << "written past the head";
            ASSERT_EQ(low[i], -7.0f) << "written past the head";
            continue;
          }
          ASSERT_NEAR(static_cast<double>(out[i]), exact[f], 1e-5)
              << head_size << " features, " << rows << " rows, at " << r << ", " << f;
          ASSERT_NEAR(static_cast<double>(low[i]), exact[f], 2e-3)
              << head_size << " features, " << rows << " rows, at " << r << ", " << f;
        }
      }
    }
}

TEST_P(Kernels, AttentionGivesAQueryTheSameBitsAloneAndAmongOthers) {
  for (const std::size_t rows : {64u, 500u}) {
    const Head head(rows, 64);
    for (const Attention* attention : {table().attention, table().low_attention}) {
      const Values all = head.run(*attention, 0, rows);
      for (const auto& [first, count] :
           {std::pair<std::size_t, std::size_t>{0, 1}, {17, 2}, {40, 24}})
        EXPECT_TRUE(
            std::ranges::equal(head.run(*attention, first, count),
                               std::span(all).subspan(first * head.stride, count * head.stride)));
    }
  }
}

// All products as large as whole numbers get, of one sign: their sums must not wrap around.
TEST_P(Kernels, AttentionAddsUpTheLargestProducts) {
  for (const std::size_t head_size : {4u, 16u, 64u, 200u})
    for (const float sign : {1.0f, -1.0f}) {
      Head head(600, head_size);
      std::ranges::fill(head.query, 3.0f);
      std::ranges::fill(head.key, 3.0f * sign);
      std::ranges::fill(head.value, -5.0f);
      // One key that every query looks away from, if its score is the least.
      for (std::size_t f = 0; f < head_size; ++f)
        head.key[f] = head.key[f] - 40.0f, head.value[f] = 1.0f;
      const Values out = head.run(*table().low_attention, 0, 7);
      for (std::size_t r = 0; r < 7; ++r)
        for (std::size_t f = 0; f < head_size; ++f)
          ASSERT_NEAR(out[r * head.stride + f], -5.0f, 1e-5f) << head_size << " features";
    }
}

TEST_P(Kernels, AttentionSurvivesHugeScores) {
  const Values query(8, 1e4f), key{1e4f, 1e4f, 1e4f, 1e4f, -1e4f, -1e4f, -1e4f, -1e4f};
  const Values value{1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<std::uint32_t> keys{0, 1};
  AlignedBuffer<float> scratch(table().attention->scratch(2, 4));
  Values out(8);
  table().attention->head({.query = query.data(),
                           .query_stride = 4,
                           .queries = 2,
                           .key = key.data(),
                           .value = value.data(),
                           .key_value_stride = 4,
                           .key_rows = keys.data(),
                           .keys = 2,
                           .head_size = 4,
                           .scale = 0.5f,
                           .out = out.data(),
                           .out_stride = 4,
                           .scratch = scratch.data()});
  EXPECT_EQ(out, (Values{1, 2, 3, 4, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace klue::kernels
