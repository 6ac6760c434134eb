// Forks while other threads work: every child must find the locks free and the pool usable.

#include <atomic>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <klue/core/detail/fork.hpp>
#include <klue/core/thread_pool.hpp>

#include "child.hpp"

namespace klue {
namespace {

using test::run_child;

bool adds_up(const ThreadPool& pool) {
  std::vector<std::atomic<std::size_t>> seen(100);
  pool.parallel_for(seen.size(), [&](std::size_t index, std::size_t) { seen[index] += index + 1; });
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i] != i + 1) return false;
  return true;
}

TEST(Fork, AChildStartsWorkersOfItsOwn) {
  const ThreadPool pool(3);
  ASSERT_TRUE(adds_up(pool));
  EXPECT_EQ(run_child([&] {
              if (pool.threads() != 3) return 1;
              std::atomic<int> together{0};
              std::atomic<bool> met{false};
              // Each of the two waits for the other: on one thread it would time out.
              pool.parallel_for(2, [&](std::size_t, std::size_t) {
                ++together;
                for (int i = 0; i < 5000 && !met; ++i) {
                  if (together == 2) met = true;
                  std::this_thread::sleep_for(std::chrono::milliseconds(1));
                }
              });
              if (!met) return 2;
              for (int i = 0; i < 100; ++i)
                if (!adds_up(pool)) return 3;
              return 0;
            }),
            0);
  EXPECT_TRUE(adds_up(pool));
}

TEST(Fork, AGrandchild) {
  const ThreadPool pool(2);
  EXPECT_EQ(run_child([&] {
              if (!adds_up(pool)) return 1;
              return run_child([&] { return adds_up(pool) ? 0 : 2; });
            }),
            0);
}

TEST(Fork, APoolThatIsOnlyDestroyedInTheChild) {
  auto pool = std::make_unique<ThreadPool>(3);
  for (const bool used : {false, true})
    EXPECT_EQ(run_child([&] {
                if (used && !adds_up(*pool)) return 1;
                pool.reset();
                return 0;
              }),
              0);
  EXPECT_TRUE(adds_up(*pool));
}

TEST(Fork, SeveralThreadsOfAChildMayCallAtOnce) {
  const ThreadPool pool(3);
  for (int repeat = 0; repeat < 10; ++repeat)
    EXPECT_EQ(run_child([&] {
                std::atomic<int> wrong{0};
                std::vector<std::thread> callers;
                for (int i = 0; i < 4; ++i)
                  callers.emplace_back([&] { wrong += adds_up(pool) ? 0 : 1; });
                for (std::thread& caller : callers)
                  caller.join();
                return wrong.load();
              }),
              0);
}

TEST(Fork, WhileOthersCallMakeAndDestroyPools) {
  if (test::under_sanitizer) GTEST_SKIP() << "the sanitizer's own allocator does not survive it";
  const ThreadPool pool(2);
  detail::ForkSafeMutex mutex;
  std::vector<std::jthread> others;
  others.emplace_back([&](const std::stop_token& stop) {
    while (!stop.stop_requested())
      adds_up(pool);
  });
  others.emplace_back([&](const std::stop_token& stop) {
    while (!stop.stop_requested())
      ThreadPool(2).parallel_for(5, [](std::size_t, std::size_t) {});
  });
  others.emplace_back([&](const std::stop_token& stop) {
    while (!stop.stop_requested())
      const std::lock_guard lock(mutex);
  });
  for (int child = 0; child < 200; ++child)
    ASSERT_EQ(run_child([&] {
                const std::lock_guard lock(mutex);
                return adds_up(pool) ? 0 : 1;
              }),
              0)
        << child;
}

}  // namespace
}  // namespace klue
