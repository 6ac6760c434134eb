#pragma once

#include <csignal>
#include <ctime>

namespace klue::hub::detail {

/// Keeps a connection that the other side has closed from ending the process: OpenSSL writes to it
/// without asking for no signal. In this thread and for this scope only; what the program does
/// about SIGPIPE stays as it is.
class SigpipeBlocker {
 public:
  SigpipeBlocker() noexcept {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pending_before_ = is_pending();
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &mask_before_);
  }
  SigpipeBlocker(const SigpipeBlocker&) = delete;
  SigpipeBlocker& operator=(const SigpipeBlocker&) = delete;
  ~SigpipeBlocker() {
    const timespec at_once{};
    if (!pending_before_ && is_pending()) sigtimedwait(&sigpipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }

 private:
  static bool is_pending() noexcept {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
  }

  sigset_t sigpipe_, mask_before_;
  bool pending_before_;
};

}  // namespace klue::hub::detail
