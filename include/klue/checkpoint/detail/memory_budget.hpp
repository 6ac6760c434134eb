#pragma once

#include <cstddef>

namespace klue::detail {

/// Keeps what a reader allocates for the description of tensors in proportion to the file, whatever
/// the description claims: a file can be made of nothing but names. A model's description is a ten
/// thousandth of it, so no real file comes near.
class MemoryBudget {
 public:
  /// As much as the file itself, and what small files need.
  explicit MemoryBudget(std::size_t file_size) : left_(file_size + (1 << 20)) {}

  /// False where there is not so much left.
  [[nodiscard]] bool spend(std::size_t bytes) noexcept {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::size_t left_;
};

/// What a tensor takes in the readers and in the checkpoint, nodes of maps and all.
inline constexpr std::size_t memory_per_tensor = 640;

}  // namespace klue::detail
