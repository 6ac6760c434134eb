// Rounding to half precision, for every number there is.

#include "../../tools/embed/half.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace klue::test {
namespace {

double value_of(unsigned half) {
  const int exponent = static_cast<int>(half >> 10 & 31u),
            fraction = static_cast<int>(half & 1023u);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (half >> 15) != 0 ? -magnitude : magnitude;
}

TEST(Half, EveryNumberIsItselfAndWhatIsBetweenGoesToTheNearer) {
  constexpr unsigned kLargest = 0x7BFF;
  for (unsigned half = 0; half <= kLargest; ++half)
    for (const unsigned sign : {0u, 0x8000u}) {
      const auto exact = static_cast<float>(value_of(half | sign));
      ASSERT_EQ(embed::half_of(exact), half | sign) << half;
      if (half == kLargest) continue;
      const auto middle =
          static_cast<float>((value_of(half | sign) + value_of((half + 1) | sign)) / 2);
      const unsigned even = (half & 1u) == 0 ? half : half + 1;
      ASSERT_EQ(embed::half_of(middle), even | sign) << half;
      ASSERT_EQ(embed::half_of(std::nextafter(middle, 0.0f)), half | sign) << half;
      ASSERT_EQ(embed::half_of(std::nextafter(middle, middle * 2)), (half + 1) | sign) << half;
    }
}

TEST(Half, BeyondTheLargestIsInfinity) {
  EXPECT_EQ(embed::half_of(65519.0f), 0x7BFF);
  EXPECT_EQ(embed::half_of(65520.0f), 0x7C00);
  EXPECT_EQ(embed::half_of(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_EQ(embed::half_of(std::numeric_limits<float>::quiet_NaN()) & 0x7E00, 0x7E00);
}

}  // namespace
}  // namespace klue::test
