#include "allocations/failing_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace klue::test {
namespace {

std::atomic<bool> active{false};
std::atomic<std::size_t> left{0};
std::atomic<bool> is_reached{false};
bool then_stays_out = false, in_all_threads = false;
thread_local bool is_this_thread = false;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (!memory_is_given()) return nullptr;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size == 0 ? 1 : size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const data = allocate(size, alignment);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

// Out of line: GCC 12 takes free for a mismatch where it sees it in an inlined operator delete.
[[gnu::noinline]] void release(void* data) noexcept {
  std::free(data);
}

}  // namespace

FailingMemory::FailingMemory(std::size_t n, Then then, Threads threads) {
  left = n;
  is_reached = false;
  then_stays_out = then == Then::stays_out;
  in_all_threads = threads == Threads::all;
  is_this_thread = true;
  active = true;
}

FailingMemory::~FailingMemory() {
  active = false;
  is_this_thread = false;
}

WorkingMemory::WorkingMemory() : was_active_(active.exchange(false)) {}
WorkingMemory::~WorkingMemory() {
  active = was_active_;
}

bool FailingMemory::reached() noexcept {
  return is_reached;
}

bool memory_is_given() noexcept {
  if (!active || !(in_all_threads || is_this_thread)) return true;
  std::size_t before = left.load();
  while (before != 0 && !left.compare_exchange_weak(before, before - 1)) {
  }
  if (before > 1) return true;
  if (before == 1) {
    is_reached = true;
    return false;
  }
  return !then_stays_out;
}

}  // namespace klue::test

using klue::test::allocate;
using klue::test::allocate_or_throw;
using klue::test::release;

constexpr std::size_t kUsual = alignof(std::max_align_t);

void* operator new(std::size_t size) {
  return allocate_or_throw(size, kUsual);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, kUsual);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* data) noexcept {
  release(data);
}
void operator delete(void* data, std::size_t) noexcept {
  release(data);
}
void operator delete(void* data, std::align_val_t) noexcept {
  release(data);
}
void operator delete(void* data, std::size_t, std::align_val_t) noexcept {
  release(data);
}
void operator delete(void* data, const std::nothrow_t&) noexcept {
  release(data);
}
void operator delete(void* data, std::align_val_t, const std::nothrow_t&) noexcept {
  release(data);
}
