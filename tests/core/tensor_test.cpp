#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>

namespace klue {
namespace {

TEST(Tensor, IsZeroAtFirst) {
  const Tensor tensor{2, 3};
  EXPECT_EQ(tensor.size(), 6u);
  for (const float x : tensor.values())
    EXPECT_EQ(x, 0.0f);
}

TEST(Tensor, SlicesByLeadingIndices) {
  Tensor tensor{2, 3, 4};
  std::iota(tensor.values().begin(), tensor.values().end(), 0.0f);
  EXPECT_EQ(tensor.at(1).size(), 12u);
  EXPECT_EQ(tensor.at(1, 2).size(), 4u);
  EXPECT_EQ(tensor.at(1, 2)[0], 20.0f);
  EXPECT_EQ(tensor.at(1, 2, 3)[0], 23.0f);
  EXPECT_EQ(tensor.at().size(), 24u);
}

TEST(Tensor, RefusesIndicesOutside) {
  const Tensor tensor{2, 3};
  EXPECT_THROW(tensor.at(2), UsageError);
  EXPECT_THROW(tensor.at(0, 3), UsageError);
  EXPECT_THROW(tensor.at(0, 0, 0), UsageError);
}

TEST(Tensor, RefusesAShapeThatOverflows) {
  const std::size_t huge = std::numeric_limits<std::size_t>::max() / 2;
  EXPECT_THROW(Tensor({huge, 4}), UsageError);
  EXPECT_THROW(Tensor({huge}), UsageError);  // a number, but of nothing that there is
}

TEST(Tensor, MayBeEmpty) {
  const Tensor tensor{0, 768};
  EXPECT_TRUE(tensor.empty());
  EXPECT_EQ(shape_string(tensor.shape()), "[0, 768]");
}

}  // namespace
}  // namespace klue
