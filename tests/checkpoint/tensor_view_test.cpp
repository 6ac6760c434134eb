#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/error.hpp>

namespace klue {
namespace {

/// A rank-1 tensor of these numbers, at an odd address.
template <class Stored>
class Unaligned {
 public:
  Unaligned(DType dtype, const std::vector<Stored>& values)
      : bytes_(values.size() * sizeof(Stored) + 1), dtype_(dtype), size_(values.size()) {
    std::memcpy(bytes_.data() + 1, values.data(), values.size() * sizeof(Stored));
  }
  TensorView view() const { return {dtype_, {size_}, std::span(bytes_).subspan(1)}; }

 private:
  std::vector<std::byte> bytes_;
  DType dtype_;
  std::size_t size_;
};

std::vector<float> read_all(const TensorView& view) {
  std::vector<float> values(view.element_count());
  view.read(0, values);
  return values;
}

/// IEEE 754 binary16, read off the definition.
float half_by_definition(std::uint16_t bits) {
  const int sign = bits >> 15, exponent = bits >> 10 & 31, fraction = bits & 1023;
  float magnitude;
  if (exponent == 31)
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                              : std::numeric_limits<float>::quiet_NaN();
  else if (exponent == 0)
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  else
    magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return sign != 0 ? -magnitude : magnitude;
}

std::vector<std::uint16_t> all_16_bit_patterns() {
  std::vector<std::uint16_t> patterns(65536);
  std::iota(patterns.begin(), patterns.end(), std::uint16_t{0});
  return patterns;
}

TEST(TensorView, ReadsEveryHalfExactly) {
  const Unaligned<std::uint16_t> halves(DType::f16, all_16_bit_patterns());
  const std::vector<float> values = read_all(halves.view());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float expected = half_by_definition(static_cast<std::uint16_t>(i));
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(values[i])) << i;
    else
      ASSERT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(expected))
          << i;
  }
}

TEST(TensorView, ReadsEveryBfloat16Exactly) {
  const Unaligned<std::uint16_t> stored(DType::bf16, all_16_bit_patterns());
  const std::vector<float> values = read_all(stored.view());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(values[i]), i << 16);
}

TEST(TensorView, ReadsFloatsAsTheyAre) {
  const std::vector<float> floats{0.f, -0.f, 1.5f, std::numeric_limits<float>::denorm_min(),
                                  -std::numeric_limits<float>::infinity()};
  const Unaligned<float> stored(DType::f32, floats);
  const std::vector<float> values = read_all(stored.view());
  EXPECT_EQ(std::memcmp(values.data(), floats.data(), floats.size() * sizeof(float)), 0);
}

TEST(TensorView, RoundsDoublesToNearest) {
  const Unaligned<double> stored(DType::f64, {0.1, 1.0 + 0x1p-24, 1.0 + 0x1.8p-24, 1e300, -1e-320});
  EXPECT_EQ(read_all(stored.view()),
            (std::vector<float>{0.1f, 1.f, 1.f + 0x1p-23f, std::numeric_limits<float>::infinity(),
                                -0.f}));
}

TEST(TensorView, ReadsAnyPart) {
  const Unaligned<float> stored(DType::f32, {0, 1, 2, 3, 4, 5, 6});
  std::array<float, 3> part{};
  stored.view().read(2, part);
  EXPECT_EQ(part, (std::array<float, 3>{2, 3, 4}));
  stored.view().read(7, {});  // nothing at the very end
}

/// Element [i, j, …] of a strided tensor whose stored values count up from 0.
float at(const TensorView& view, std::size_t index) {
  std::size_t offset = 0;
  for (std::size_t i = view.shape.size(); i-- > 0;) {
    offset += index % view.shape[i] * view.strides[i];
    index /= view.shape[i];
  }
  return static_cast<float>(offset);
}

TEST(TensorView, ReadsAnyPartOfStridedTensors) {
  std::vector<float> counting(40 * 40);
  std::iota(counting.begin(), counting.end(), 0.f);
  const Unaligned<float> stored(DType::f32, counting);
  struct Layout {
    std::vector<std::size_t> shape, strides;
  };
  for (const auto& [shape, strides] :
       {Layout{{40, 40}, {1, 40}}, Layout{{33, 17}, {1, 40}}, Layout{{5, 40}, {1, 0}},
        Layout{{40, 5}, {0, 1}}, Layout{{17, 16}, {3, 50}}, Layout{{4, 5, 6}, {1, 100, 7}},
        Layout{{7}, {200}}, Layout{{2, 3, 4, 5}, {0, 5, 17, 1}}}) {
    TensorView view = stored.view();
    view.shape = shape;
    view.strides = strides;
    const std::size_t count = view.element_count();
    for (const std::size_t size : {count, count / 2, std::size_t{41}, std::size_t{1}})
      for (std::size_t begin = 0; begin + size <= count; begin += 1 + count / 13) {
        std::vector<float> part(size);
        view.read(begin, part);
        for (std::size_t i = 0; i < size; ++i)
          ASSERT_EQ(part[i], at(view, begin + i));
      }
  }
}

TEST(TensorView, RefusesToReadOutside) {
  const Unaligned<float> stored(DType::f32, {0, 1, 2});
  std::array<float, 2> part{};
  EXPECT_THROW(stored.view().read(2, part), UsageError);
  EXPECT_THROW(stored.view().read(4, {}), UsageError);
  EXPECT_THROW(stored.view().read(std::numeric_limits<std::size_t>::max(), part), UsageError);
}

TEST(TensorView, RefusesToReadIntegersAsFloats) {
  std::array<float, 1> out{};
  const Unaligned<std::int64_t> stored(DType::i64, {7});
  try {
    stored.view().read(0, out);
    FAIL();
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(error.actual(), "I64");
  }
}

}  // namespace
}  // namespace klue
