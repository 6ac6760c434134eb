#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace klue::train {

/// Zeros to begin with, aligned to a cache line. Moves, and is not copied by mistake.
template <class T>
class Numbers {
 public:
  Numbers() = default;
  /// That many, all 0.
  explicit Numbers(std::size_t size) : storage_(size + kLine), size_(size) {
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    first_ = (64 - address % 64) % 64 / sizeof(T);
  }
  Numbers(Numbers&&) noexcept = default;
  Numbers& operator=(Numbers&&) noexcept = default;

  /// Elements.
  std::size_t size() const noexcept { return size_; }
  /// The first, on a line of the cache.
  T* data() noexcept { return storage_.data() + first_; }
  /// The first, on a line of the cache.
  const T* data() const noexcept { return storage_.data() + first_; }

 private:
  static constexpr std::size_t kLine = 64 / sizeof(T);
  std::vector<T> storage_;
  std::size_t size_ = 0, first_ = 0;
};

}  // namespace klue::train
