#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <klue/core/error.hpp>
#include <klue/core/thread_pool.hpp>

#include "child.hpp"
#include "limited_child.hpp"

namespace klue {
namespace {

TEST(ThreadPool, RunsEveryIndexOnce) {
  for (const std::size_t threads : {1u, 2u, 4u}) {
    const ThreadPool pool(threads);
    for (const std::size_t count : {0u, 1u, 2u, 3u, 1000u}) {
      std::vector<std::atomic<int>> calls(count);
      pool.parallel_for(count, [&](std::size_t index, std::size_t lane) {
        EXPECT_LT(lane, threads);
        ++calls[index];
      });
      for (const auto& n : calls)
        EXPECT_EQ(n, 1);
    }
  }
}

TEST(ThreadPool, NeverSharesALaneWithinACall) {
  const ThreadPool pool(4);
  std::vector<std::atomic<bool>> busy(4);
  for (int repeat = 0; repeat < 50; ++repeat)
    pool.parallel_for(64, [&](std::size_t, std::size_t lane) {
      EXPECT_FALSE(busy[lane].exchange(true));
      std::this_thread::yield();
      busy[lane] = false;
    });
}

TEST(ThreadPool, RethrowsInTheCaller) {
  const ThreadPool pool(3);
  for (int repeat = 0; repeat < 20; ++repeat)
    EXPECT_THROW(pool.parallel_for(100,
                                   [](std::size_t index, std::size_t) {
                                     if (index == 17) throw std::runtime_error("17");
                                   }),
                 std::runtime_error);
  int after = 0;
  pool.parallel_for(1, [&](std::size_t, std::size_t) { ++after; });
  EXPECT_EQ(after, 1);
}

TEST(ThreadPool, ServesSeveralCallersAtOnce) {
  const ThreadPool pool(3);
  std::atomic<std::size_t> total{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 200; ++repeat)
        pool.parallel_for(10, [&](std::size_t index, std::size_t) { total += index; });
    });
  for (std::thread& caller : callers)
    caller.join();
  EXPECT_EQ(total, 6u * 200 * 45);
}

TEST(ThreadPool, DefaultsToTheProcessorsOfTheProcess) {
  EXPECT_GE(ThreadPool().threads(), 1u);
}

// In a child, so that the limit is not for us. Sanitizers need more address space than there is.
TEST(ThreadPool, MoreThreadsThanTheSystemStarts) {
  if (!test::memory_can_be_limited) GTEST_SKIP() << "sanitizers map terabytes";
  const int result = test::run_child([] {
    // Address space for the stacks of a few threads.
    const rlimit little{std::size_t{1} << 30, std::size_t{1} << 30};
    if (::setrlimit(RLIMIT_AS, &little) != 0) return 1;
    try {
      ThreadPool pool(20'000);
    } catch (const IoError& error) {
      return error.field() == "threads" && !error.actual().empty() ? 0 : 2;
    } catch (const std::bad_alloc&) {
      return 3;
    }
    return 4;
  });
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace klue
