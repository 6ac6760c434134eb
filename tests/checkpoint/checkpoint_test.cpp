#include <vector>

#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>

namespace klue {
namespace {

TEST(Checkpoint, CountsEveryByteThatTensorsUseOnce) {
  const std::vector<std::byte> data(100);
  const auto part = [&](std::size_t begin, std::size_t size) {
    return TensorView{DType::u8, {size}, std::span(data).subspan(begin, size)};
  };
  const auto distinct = [](Checkpoint::Tensors tensors) {
    return Checkpoint("file", std::move(tensors), {}).distinct_bytes();
  };
  EXPECT_EQ(distinct({}), 0u);
  EXPECT_EQ(distinct({{"empty", TensorView{DType::u8, {0}, {}}}}), 0u);
  EXPECT_EQ(distinct({{"a", part(10, 20)}, {"b", part(30, 5)}}), 25u);
  EXPECT_EQ(distinct({{"a", part(10, 20)}, {"tied", part(10, 20)}}), 20u);
  EXPECT_EQ(distinct({{"a", part(0, 100)}, {"b", part(10, 20)}, {"c", part(90, 10)}}), 100u);
  EXPECT_EQ(distinct({{"a", part(50, 20)}, {"b", part(40, 20)}, {"c", part(80, 1)}}), 31u);
}

}  // namespace
}  // namespace klue
