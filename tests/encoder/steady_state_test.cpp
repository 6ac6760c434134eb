// A call allocates nothing once the encoder has served one like it. A program of its own: it counts
// every allocation.

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <vector>

#include <gtest/gtest.h>

#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/encoder/encoder.hpp>
#include <klue/kernels/detail/kernels.hpp>

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* const data = std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

// Out of line: GCC 12 takes free for a mismatch where it sees it in an inlined operator delete.
[[gnu::noinline]] void released(void* data) noexcept {
  std::free(data);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* data) noexcept {
  released(data);
}
void operator delete(void* data, std::size_t) noexcept {
  released(data);
}
void operator delete(void* data, std::align_val_t) noexcept {
  released(data);
}
void operator delete(void* data, std::size_t, std::align_val_t) noexcept {
  released(data);
}

namespace klue {
using namespace detail;
namespace {

TEST(SteadyState, AllocatesNothing) {
  const std::filesystem::path model = std::filesystem::path(KLUE_FIXTURE_DIR) / "tiny-11";
  for (const std::size_t threads : {1u, 3u})
    for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
      const Encoder encoder(read_encoder_config(model / "config.json"), open_checkpoint(model),
                            std::make_shared<ThreadPool>(threads), {.precision = precision});
      TokenBatchBuilder builder(encoder.config());
      for (const std::size_t length : {30u, 7u, 2u}) {
        const std::vector<std::int32_t> ids(length, 5), types(length, 0);
        builder.append(ids, types);
      }
      for (const Pooling pooling : {Pooling::mean, Pooling::cls, Pooling::pooler}) {
        SCOPED_TRACE(testing::Message() << threads << " threads, " << precision_name(precision)
                                        << ", " << pooling_name(pooling));
        float sum = 0;
        const auto run = [&] {
          encoder.core().pool(builder.batch(), pooling,
                              [&](std::size_t, std::span<float> vector) { sum += vector[0]; });
        };
        run();
        const std::size_t before = allocations;
        EXPECT_GT(before, 0u);  // it does count
        for (int i = 0; i < 3; ++i)
          run();
        EXPECT_EQ(allocations - before, 0u);
      }
    }
}

}  // namespace
}  // namespace klue
