#include <new>

#include <pthread.h>

#include <klue/core/detail/fork.hpp>

namespace klue::detail {

// All that a fork has to lock. The one list of the process: pthread_atfork knows no arguments.
struct ForkRegistry {
  std::mutex mutex{};
  ForkGuarded* first = nullptr;  // guarded by mutex

  static ForkRegistry& instance() {
    static constinit ForkRegistry registry;
    return registry;
  }

  // Where a thread holds one of the locks, it waits for no other: the order does not matter.
  static void before() {
    ForkRegistry& registry = instance();
    registry.mutex.lock();
    for (ForkGuarded* each = registry.first; each != nullptr; each = each->next_)
      each->lock_before_fork();
  }

  static void in_parent() {
    ForkRegistry& registry = instance();
    for (ForkGuarded* each = registry.first; each != nullptr; each = each->next_)
      each->unlock_in_parent();
    registry.mutex.unlock();
  }

  static void in_child() {
    ForkRegistry& registry = instance();
    for (ForkGuarded* each = registry.first; each != nullptr; each = each->next_)
      each->unlock_in_child();
    registry.mutex.unlock();
  }

  void add(ForkGuarded& member) {
    static const int refused = ::pthread_atfork(before, in_parent, in_child);
    if (refused != 0) throw std::bad_alloc();  // the only reason there is
    const std::lock_guard lock(mutex);
    member.next_ = first;
    if (first != nullptr) first->previous_ = &member;
    first = &member;
  }

  void remove(ForkGuarded& member) noexcept {
    const std::lock_guard lock(mutex);
    (member.previous_ == nullptr ? first : member.previous_->next_) = member.next_;
    if (member.next_ != nullptr) member.next_->previous_ = member.previous_;
  }
};

void ForkGuarded::enter_forks() {
  ForkRegistry::instance().add(*this);
}
void ForkGuarded::leave_forks() noexcept {
  ForkRegistry::instance().remove(*this);
}

}  // namespace klue::detail
