#pragma once

#include <cstddef>
#include <functional>

namespace klue::test {

/// Bytes that `work` has allocated at most at one time; it may end with an Error. For a program
/// that compiles counted_memory.cpp, whose operators new and delete count.
std::size_t peak_bytes_of(const std::function<void()>& work);

}  // namespace klue::test
