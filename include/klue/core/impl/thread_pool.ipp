#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <klue/core/detail/fork.hpp>
#include <klue/core/detail/processors.hpp>
#include <klue/core/error.hpp>
#include <klue/core/thread_pool.hpp>

namespace klue {
namespace {

// One encoder layer is a handful of short parallel loops: a worker that sleeps between them would
// spend longer waking up than working. It therefore looks for the next loop for a moment first.
constexpr std::chrono::microseconds kSpin{100};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

template <class Condition>
bool spin_until(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      if (condition()) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

}  // namespace

struct ThreadPool::State final : detail::ForkGuarded {
  struct Job {
    std::size_t count;
    void* function;
    Call call;
    std::atomic<std::size_t> next{0};     // first index nobody has taken
    std::atomic<std::size_t> workers{0};  // workers inside this job, the caller not counted
    std::exception_ptr error{};           // guarded by State::mutex
    Job* next_job = nullptr;              // likewise

    bool exhausted() const { return next.load(std::memory_order_relaxed) >= count; }
  };

  std::mutex mutex;
  std::condition_variable work_arrived, worker_left;
  Job* first_job = nullptr;                 // guarded by mutex; the callers own the jobs
  std::atomic<std::size_t> jobs_posted{0};  // grows with every job; what spinning workers watch
  std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;
  std::atomic<bool> forked{false};  // in a child that has not started workers of its own yet

  State() { enter_forks(); }

  // Here, not in ~ThreadPool, so that a constructor that cannot start all its threads cleans up.
  ~State() override {
    leave_forks();
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work_arrived.notify_all();
    for (std::thread& worker : workers)
      if (worker.joinable()) worker.join();
  }

  void start_worker(std::size_t lane) {
    workers.emplace_back([this, lane] { worker(lane); });
  }

  void lock_before_fork() noexcept override { mutex.lock(); }
  void unlock_in_parent() noexcept override { mutex.unlock(); }

  // The workers and the callers of the parent do not exist here, so nobody may wait for them: not
  // by joining, nor by the destructor of a condition variable that still counts its waiters.
  void unlock_in_child() noexcept override {
    first_job = nullptr;
    for (std::thread& worker : workers)
      ::new (static_cast<void*>(&worker)) std::thread();
    ::new (static_cast<void*>(&work_arrived)) std::condition_variable();
    ::new (static_cast<void*>(&worker_left)) std::condition_variable();
    forked.store(!workers.empty(), std::memory_order_relaxed);
    mutex.unlock();
  }

  // The callers do all the work where the system has no threads to give.
  void start_workers_of_child(std::size_t threads) noexcept {
    const std::lock_guard lock(mutex);
    if (!forked.load(std::memory_order_relaxed)) return;
    forked.store(false, std::memory_order_relaxed);
    workers.clear();
    try {
      for (std::size_t lane = 1; lane < threads; ++lane)
        start_worker(lane);
    } catch (const std::exception&) {
    }
  }

  void work_on(Job& job, std::size_t lane) {
    try {
      for (;;) {
        const std::size_t index = job.next.fetch_add(1, std::memory_order_relaxed);
        if (index >= job.count) return;
        job.call(job.function, index, lane);
      }
    } catch (...) {
      job.next.store(job.count, std::memory_order_relaxed);
      const std::lock_guard lock(mutex);
      if (!job.error) job.error = std::current_exception();
    }
  }

  void append(Job& job) {  // with mutex held
    Job** end = &first_job;
    while (*end != nullptr)
      end = &(*end)->next_job;
    *end = &job;
  }

  void remove(const Job& job) {  // with mutex held
    Job** place = &first_job;
    while (*place != &job)
      place = &(*place)->next_job;
    *place = job.next_job;
  }

  Job* take_job() {  // with mutex held
    for (Job* job = first_job; job != nullptr; job = job->next_job) {
      if (job->exhausted()) continue;
      job->workers.fetch_add(1, std::memory_order_relaxed);
      return job;
    }
    return nullptr;
  }

  void worker(std::size_t lane) {
    std::unique_lock lock(mutex);
    while (!stopping.load(std::memory_order_relaxed)) {
      if (Job* job = take_job()) {
        lock.unlock();
        work_on(*job, lane);
        lock.lock();
        // Under the mutex: once the caller sees 0 it may destroy the job.
        if (job->workers.fetch_sub(1, std::memory_order_release) == 1) worker_left.notify_all();
        continue;
      }
      const std::size_t seen = jobs_posted.load(std::memory_order_relaxed);
      const auto news = [&] {
        return stopping.load(std::memory_order_relaxed) ||
               jobs_posted.load(std::memory_order_relaxed) != seen;
      };
      lock.unlock();
      const bool arrived = spin_until(news);
      lock.lock();
      if (!arrived) work_arrived.wait(lock, news);
    }
  }
};

ThreadPool::ThreadPool(std::size_t threads)
    : threads_(threads == 0 ? detail::usable_processors() : threads),
      state_(std::make_shared<State>()) {
  std::size_t lane = 1;
  try {
    // A fork meanwhile must not find the list of workers half grown.
    const std::lock_guard lock(state_->mutex);
    for (; lane < threads_; ++lane)
      state_->start_worker(lane);
  } catch (const std::system_error& error) {
    throw IoError("cannot start so many threads", {.field = "threads",
                                                   .expected = "at most " + std::to_string(lane),
                                                   .actual = error.code().message()});
  }
}

ThreadPool::~ThreadPool() = default;

void ThreadPool::run(std::size_t count, void* function, Call call) const {
  State& state = *state_;
  if (state.forked.load(std::memory_order_relaxed)) state.start_workers_of_child(threads_);
  State::Job job{.count = count, .function = function, .call = call};
  {
    const std::lock_guard lock(state.mutex);
    state.append(job);
    state.jobs_posted.fetch_add(1, std::memory_order_relaxed);
  }
  if (count > 2)
    state.work_arrived.notify_all();
  else
    state.work_arrived.notify_one();

  state.work_on(job, 0);

  const auto alone = [&] { return job.workers.load(std::memory_order_acquire) == 0; };
  spin_until(alone);
  std::unique_lock lock(state.mutex);
  state.worker_left.wait(lock, alone);
  state.remove(job);
  lock.unlock();
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace klue
