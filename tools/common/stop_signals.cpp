#include "common/stop_signals.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

#include <klue/core/error.hpp>

namespace tools {
namespace {

std::atomic<int> received_signal{0};
std::atomic<int> wake_descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may use nothing else");

extern "C" void on_stop_signal(int signal) {
  const int error = errno;
  received_signal = signal;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_descriptor, &one, sizeof one);
  errno = error;
}

constexpr int kSignals[] = {SIGINT, SIGTERM};

}  // namespace

StopSignals::StopSignals() : wake_(::eventfd(0, EFD_CLOEXEC)) {
  if (wake_ < 0)
    throw klue::IoError("cannot watch for signals",
                        {.actual = std::generic_category().message(errno)});
  wake_descriptor = wake_;
  watcher_ = std::thread([this] {
    std::uint64_t count = 0;
    while (::read(wake_, &count, sizeof count) < 0 && errno == EINTR) {
    }
    if (received_signal != 0) source_.request_stop();
  });
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : kSignals) {
    struct sigaction old {};
    // What a parent has ignored (nohup, background jobs) stays ignored.
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN)
      ::sigaction(signal, &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (const int signal : kSignals) {
    struct sigaction old {};
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == on_stop_signal)
      std::signal(signal, SIG_DFL);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
  watcher_.join();
  wake_descriptor = -1;
  ::close(wake_);
}

int StopSignals::received() noexcept {
  return received_signal;
}

void die_of(int signal) {
  std::signal(signal, SIG_DFL);
  ::raise(signal);
  std::_Exit(128 + signal);  // where it is blocked
}

}  // namespace tools
