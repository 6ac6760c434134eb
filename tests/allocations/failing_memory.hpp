#pragma once

#include <cstddef>

namespace klue::test {

/// Which allocations of `operator new` fail while one of these exists; there may be one at a time.
class FailingMemory {
 public:
  enum class Threads { this_one, all };
  enum class Then { works_again, stays_out };

  /// The n-th from now on fails, counted from 1, and then none, or all.
  FailingMemory(std::size_t n, Then then, Threads threads);
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;
  ~FailingMemory();

  /// Whether there were so many.
  static bool reached() noexcept;
};

/// Memory is there again as long as one of these exists: for what a test does itself.
class WorkingMemory {
 public:
  WorkingMemory();
  WorkingMemory(const WorkingMemory&) = delete;
  WorkingMemory& operator=(const WorkingMemory&) = delete;
  ~WorkingMemory();

 private:
  bool was_active_;
};

/// For who asks for memory otherwise: false where it must get none. Counts as an allocation.
bool memory_is_given() noexcept;

}  // namespace klue::test
