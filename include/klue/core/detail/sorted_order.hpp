#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace klue::detail {

/// 0…count-1 by falling key(i), equal keys in their order, NaN last. O(count · log count).
///
/// The standard's stable_sort would do, were it not that libstdc++'s is built on a function that
/// C++20 has removed, about which Clang warns whoever compiles these headers.
template <class Key>
std::vector<std::size_t> falling_order(std::size_t count, const Key& key) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const auto x = key(a), y = key(b);
    if (x > y || y > x) return x > y;
    const bool x_counts = x == x, y_counts = y == y;  // not NaN
    return x_counts == y_counts ? a < b : x_counts;
  });
  return order;
}

}  // namespace klue::detail
