#include "counted_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace {

std::atomic<std::size_t> live{0}, peak{0};

void* counted(std::size_t size) {
  void* const data = std::malloc(size == 0 ? 1 : size);
  if (data == nullptr) throw std::bad_alloc();
  const std::size_t now = live += malloc_usable_size(data);
  std::size_t seen = peak;
  while (now > seen && !peak.compare_exchange_weak(seen, now)) {
  }
  return data;
}

void uncounted(void* data) noexcept {
  if (data != nullptr) live -= malloc_usable_size(data);
  std::free(data);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* data) noexcept {
  uncounted(data);
}
void operator delete[](void* data) noexcept {
  uncounted(data);
}
void operator delete(void* data, std::size_t) noexcept {
  uncounted(data);
}
void operator delete[](void* data, std::size_t) noexcept {
  uncounted(data);
}

std::size_t klue::test::peak_bytes_of(const std::function<void()>& work) {
  const std::size_t before = live;
  peak = before;
  work();
  return peak - before;
}
