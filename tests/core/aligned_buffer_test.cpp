#include <cstdint>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include <klue/core/detail/aligned_buffer.hpp>

namespace klue {
using namespace detail;
namespace {

TEST(AlignedBuffer, StartsOnACacheLine) {
  for (const std::size_t size : {1u, 3u, 17u, 1000u}) {
    const AlignedBuffer<float> buffer(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u) << size;
    EXPECT_EQ(buffer.size(), size);
  }
}

TEST(AlignedBuffer, RefusesASizeThatOverflows) {
  EXPECT_THROW(AlignedBuffer<double>(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
}

TEST(AlignedBuffer, GrowsButNeverShrinks) {
  AlignedBuffer<int> buffer(8);
  const int* before = buffer.data();
  buffer.reserve_discard(4);
  EXPECT_EQ(buffer.data(), before);
  EXPECT_EQ(buffer.size(), 8u);
  buffer.reserve_discard(16);
  EXPECT_EQ(buffer.size(), 16u);
}

TEST(AlignedBuffer, EmptyHasNoMemory) {
  EXPECT_EQ(AlignedBuffer<int>(0).data(), nullptr);
  EXPECT_TRUE(AlignedBuffer<int>().empty());
}

}  // namespace
}  // namespace klue
