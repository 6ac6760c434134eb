#pragma once

#include <mutex>

namespace klue::detail {

/// Something with a lock that a fork of the process must not catch half-way: fork waits for it, and
/// the child, in which no other thread exists, finds it free. From `enter_forks` to `leave_forks`,
/// which a destructor calls first of all.
class ForkGuarded {
 public:
  virtual ~ForkGuarded() = default;
  virtual void lock_before_fork() noexcept = 0;
  virtual void unlock_in_parent() noexcept = 0;
  /// Runs before anything else does in the child; must not allocate.
  virtual void unlock_in_child() noexcept = 0;

 protected:
  ForkGuarded() = default;
  ForkGuarded(const ForkGuarded&) = delete;
  ForkGuarded& operator=(const ForkGuarded&) = delete;

  /// Throws std::bad_alloc.
  void enter_forks();
  void leave_forks() noexcept;

 private:
  friend struct ForkRegistry;
  ForkGuarded *previous_ = nullptr, *next_ = nullptr;
};

/// A mutex that a fork does not leave locked in the child. For what is locked briefly, by code that
/// makes no object of this kind meanwhile.
class ForkSafeMutex final : private ForkGuarded {
 public:
  ForkSafeMutex() { enter_forks(); }
  ~ForkSafeMutex() override { leave_forks(); }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  void lock_before_fork() noexcept override { mutex_.lock(); }
  void unlock_in_parent() noexcept override { mutex_.unlock(); }
  void unlock_in_child() noexcept override { mutex_.unlock(); }

  std::mutex mutex_;
};

}  // namespace klue::detail
