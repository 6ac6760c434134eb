#include "pipeline.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <klue/core/error.hpp>

namespace embed {
namespace {

class Pipeline {
 public:
  Pipeline(const Stages& stages, std::size_t workers, std::stop_source stop)
      : stages_(stages), stop_(std::move(stop)), most_in_flight_(2 * workers + 1) {
    // Threads that cannot start must not leave the others behind.
    try {
      threads_.emplace_back([this] { read(); });
      for (std::size_t i = 0; i < workers; ++i)
        threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      stop_.request_stop();
      join();
      throw klue::IoError("cannot start a thread", {.actual = error.what()});
    }
  }

  void run() {
    try {
      finish();
    } catch (...) {
      fail(std::current_exception());
    }
    join();
    if (error_) std::rethrow_exception(error_);
    if (read_error_) std::rethrow_exception(read_error_);
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  // Waits for the condition; false where all ends before.
  template <class Condition>
  bool wait(Lock& lock, const Condition& condition) {
    return changed_.wait(lock, stop_.get_token(), condition) && !stop_.stop_requested();
  }

  void fail(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(error);
    }
    stop_.request_stop();
  }

  void join() {
    for (std::thread& thread : threads_)
      thread.join();
  }

  void read() {
    try {
      for (;;) {
        Lock lock(mutex_);
        if (!wait(lock, [&] { return in_flight_ < most_in_flight_; })) break;
        lock.unlock();
        Chunk chunk;
        if (!stages_.read(chunk)) break;
        lock.lock();
        ++in_flight_;
        waiting_.emplace_back(read_++, std::move(chunk));
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      read_error_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    all_read_ = true;
    changed_.notify_all();
  }

  void work() {
    try {
      for (;;) {
        Lock lock(mutex_);
        if (!wait(lock, [&] { return !waiting_.empty() || all_read_; })) return;
        if (waiting_.empty()) return;
        auto [number, chunk] = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        stages_.compute(chunk);
        lock.lock();
        computed_.emplace(number, std::move(chunk));
        changed_.notify_all();
      }
    } catch (...) {
      fail(std::current_exception());
    }
  }

  void finish() {
    for (std::size_t next = 0;; ++next) {
      Lock lock(mutex_);
      const auto come = [&] { return computed_.contains(next) || (all_read_ && next == read_); };
      if (!wait(lock, come)) {
        if (!error_) throw klue::StoppedError();
        return;
      }
      const auto found = computed_.find(next);
      if (found == computed_.end()) return;
      const Chunk chunk = std::move(found->second);
      computed_.erase(found);
      lock.unlock();
      stages_.finish(chunk);
      lock.lock();
      --in_flight_;
      changed_.notify_all();
    }
  }

  const Stages& stages_;
  std::stop_source stop_;
  std::size_t most_in_flight_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // All guarded by the mutex.
  std::deque<std::pair<std::size_t, Chunk>> waiting_;
  std::map<std::size_t, Chunk> computed_;
  std::size_t read_ = 0, in_flight_ = 0;
  bool all_read_ = false;
  std::exception_ptr error_, read_error_;
  std::vector<std::thread> threads_;
};

}  // namespace

void run_pipeline(const Stages& stages, std::size_t workers, std::stop_source stop) {
  Pipeline(stages, workers, std::move(stop)).run();
}

}  // namespace embed
