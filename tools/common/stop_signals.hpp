#pragma once

#include <stop_token>
#include <thread>

namespace tools {

/// Turns the first SIGINT or SIGTERM into a stop token, so that a run can end in order; a second
/// one ends the program at once. One object at a time, made where the work begins: before that,
/// nothing needs to be put in order and a signal just kills.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  std::stop_source source() const { return source_; }

  /// The signal that came; 0: none.
  static int received() noexcept;

 private:
  std::stop_source source_;
  int wake_;  // eventfd: the handler may do no more than write to it
  std::thread watcher_;
};

/// Ends the program by the signal's own default, as the shell that waits for it wants to see.
[[noreturn]] void die_of(int signal);

}  // namespace tools
