#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include <klue/core/detail/aligned_buffer.hpp>

/// What containers have allocated, without what the allocator adds and what their elements own.
namespace klue::detail {

template <class T>
std::size_t heap_bytes(const AlignedBuffer<T>& buffer) noexcept {
  return buffer.size() * sizeof(T);
}

template <class T>
std::size_t heap_bytes(const std::vector<T>& values) noexcept {
  return values.capacity() * sizeof(T);
}

inline std::size_t heap_bytes(const std::string& text) noexcept {
  static const std::size_t in_place = std::string().capacity();
  return text.capacity() > in_place ? text.capacity() + 1 : 0;
}

/// With the strings' own.
inline std::size_t heap_bytes(const std::vector<std::string>& texts) noexcept {
  std::size_t bytes = texts.capacity() * sizeof(std::string);
  for (const std::string& text : texts)
    bytes += heap_bytes(text);
  return bytes;
}

/// Nodes are a link, the pair and, where hashing is slow, the hash.
template <class Key, class Value>
std::size_t heap_bytes(const std::unordered_map<Key, Value>& map) noexcept {
  struct Node {
    void* next;
    typename std::unordered_map<Key, Value>::value_type pair;
    std::size_t hash;
  };
  return map.bucket_count() * sizeof(void*) + map.size() * sizeof(Node);
}

}  // namespace klue::detail
