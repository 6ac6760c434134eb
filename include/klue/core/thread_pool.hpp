#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <klue/core/language.hpp>

namespace klue {

/// The one place that decides how many threads work. A pool of n threads is the calling thread and
/// n − 1 workers; several callers share the workers instead of multiplying them, and a caller never
/// waits for a busy worker to begin: what no worker takes, the caller does itself.
///
/// The process may fork while others call a pool: the child's pool is free, and starts workers of
/// its own in its first call, or works in the caller alone where it can start none. Only `body` of
/// parallel_for must not fork and go on in the child, where the other half of the work is missing.
class KLUE_EXPORT ThreadPool {
 public:
  /// 0 threads: as many as are of use to this process, by its CPU affinity and by the quota of its
  /// control group (a container with half a processor gets 1 thread). Throws IoError where the
  /// system does not start so many.
  explicit ThreadPool(std::size_t threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Threads that may work on one call, the caller included; at least 1.
  std::size_t threads() const noexcept { return threads_; }

  /// Calls body(index, lane) once for every index in [0, count), in no particular order, and
  /// returns when all are done. Within one call no two threads share a lane, and lane < threads():
  /// a lane may own scratch memory. The first exception is rethrown here; indices not yet begun are
  /// then left out. Callable from any number of threads at once; body must not call parallel_for of
  /// the same pool.
  template <class Body>
  void parallel_for(std::size_t count, Body&& body) const {
    if (threads_ == 1 || count <= 1) {
      for (std::size_t index = 0; index < count; ++index)
        body(index, std::size_t{0});
      return;
    }
    using Function = std::remove_reference_t<Body>;
    run(count, const_cast<void*>(static_cast<const void*>(std::addressof(body))),
        [](void* function, std::size_t index, std::size_t lane) {
          (*static_cast<Function*>(function))(index, lane);
        });
  }

 private:
  using Call = void (*)(void* function, std::size_t index, std::size_t lane);
  void run(std::size_t count, void* function, Call call) const;

  struct State;
  std::size_t threads_;
  std::shared_ptr<State> state_;  // of nobody else; unique_ptr takes longer to compile
};

}  // namespace klue
