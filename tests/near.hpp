#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace klue::test {

inline std::vector<double> as_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

inline void expect_near(std::span<const float> ours, const std::vector<double>& theirs,
                        double most = 2e-5) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_NEAR(static_cast<double>(ours[i]), theirs[i], most) << i;
}

}  // namespace klue::test
