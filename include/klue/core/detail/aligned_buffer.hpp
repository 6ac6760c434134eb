#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace klue::detail {

/// Memory for `size` elements of T, aligned to a cache line (64 bytes, also the widest SIMD vector)
/// whatever flags the caller compiles with. Elements are left uninitialised.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;

  /// Throws std::bad_alloc where the memory is not to be had or size × sizeof(T) overflows.
  explicit AlignedBuffer(std::size_t size) : size_(size) {
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T))
      throw std::bad_array_new_length();
    if (size != 0)
      data_.reset(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{kAlignment})));
  }

  /// Makes room for `size` elements. The old elements are lost when the buffer has to grow, so that
  /// a workspace grows to its largest use and then allocates no more.
  void reserve_discard(std::size_t size) {
    if (size > size_) *this = AlignedBuffer(size);
  }

  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { return data_.get()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_.get()[i]; }
  std::span<T> span() noexcept { return {data(), size_}; }
  std::span<const T> span() const noexcept { return {data(), size_}; }

 private:
  struct Free {
    void operator()(T* data) const noexcept {
      ::operator delete (data, std::align_val_t{kAlignment});
    }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t size_ = 0;
};

}  // namespace klue::detail
