#pragma once

#include <cstddef>

#include <klue/core/detail/budget.hpp>

namespace klue::detail {

/// Keeps what a reader allocates for the description of tensors in proportion to the file, whatever
/// the description claims: a file can be made of nothing but names.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t file_size) : left_(file_size + budget::kDescriptionPlus) {}

  /// False where there is not so much left.
  [[nodiscard]] bool spend(std::size_t bytes) noexcept {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::size_t left_;
};

}  // namespace klue::detail
