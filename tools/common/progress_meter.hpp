#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tools {

enum class ProgressKind { automatic, bar, lines, none };

/// Tells people on standard error how far a long run is: a bar with rate, share and remaining time
/// on a terminal, a plain line every so often in a log, nothing where neither is asked for.
class ProgressMeter {
 public:
  /// Automatic: a bar where standard error is a terminal, else nothing. `program` begins the lines.
  /// `total`: bytes of the input; 0 where that is not known, which leaves out share and remaining
  /// time. `texts_before`: done by an earlier run.
  ProgressMeter(std::string program, ProgressKind kind, std::uint64_t total,
                std::size_t texts_before = 0);

  /// Takes the bar away, so that what is said next begins a line.
  ~ProgressMeter();
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;

  /// Cheap enough to be called for every part of the work.
  void update(std::size_t texts, std::uint64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;
  std::string describe(std::size_t texts, std::uint64_t bytes, Clock::time_point now);

  std::string program_;
  ProgressKind kind_;
  std::uint64_t total_;
  std::size_t texts_before_;
  std::uint64_t bytes_before_ = 0;
  Clock::time_point begin_ = Clock::now(), next_;
  bool drawn_ = false;
};

/// "1,234,567"
std::string with_commas(std::uint64_t number);

/// "0:07", "1:23:45"
std::string clock_time(double seconds);

}  // namespace tools
