#include "common/progress_meter.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace tools {
namespace {

constexpr std::chrono::milliseconds kBarInterval{100}, kLineInterval{10'000};

}  // namespace

std::string with_commas(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string clock_time(double seconds) {
  const auto whole = static_cast<unsigned long>(std::clamp(seconds, 0.0, 1e9) + 0.5);
  char text[40];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%lu:%02lu", whole / 60, whole % 60);
  return text;
}

ProgressMeter::ProgressMeter(std::string program, ProgressKind kind, std::uint64_t total,
                             std::size_t texts_before)
    : program_(std::move(program)), kind_(kind), total_(total), texts_before_(texts_before) {
  if (kind_ == ProgressKind::automatic)
    kind_ = ::isatty(STDERR_FILENO) == 1 ? ProgressKind::bar : ProgressKind::none;
  // What is done in a moment needs no bar.
  next_ = begin_ + (kind_ == ProgressKind::bar ? std::chrono::milliseconds(500) : kLineInterval);
}

ProgressMeter::~ProgressMeter() {
  if (drawn_) std::cerr << "\r\x1B[K" << std::flush;
}

void ProgressMeter::update(std::size_t texts, std::uint64_t bytes) {
  if (kind_ == ProgressKind::none) return;
  const Clock::time_point now = Clock::now();
  // What an earlier run has done is read, but says nothing about the speed.
  if (bytes_before_ == 0 && texts_before_ != 0) bytes_before_ = bytes;
  if (now < next_) return;
  if (kind_ == ProgressKind::lines) {
    next_ = now + kLineInterval;
    std::cerr << program_ + ": " + describe(texts, bytes, now) + "\n" << std::flush;
    return;
  }
  next_ = now + kBarInterval;
  std::string bar(1, '\r');
  if (total_ != 0) {
    constexpr double kWidth = 24;
    const double share = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(total_));
    const auto filled = static_cast<std::size_t>(share * kWidth);
    bar.append("[").append(filled, '#').append(24 - filled, ' ').append("] ");
  }
  // In one piece, so that it does not flicker.
  std::cerr << bar.append(describe(texts, bytes, now)).append("\x1B[K") << std::flush;
  drawn_ = true;
}

std::string ProgressMeter::describe(std::size_t texts, std::uint64_t bytes, Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const double rate = static_cast<double>(texts - texts_before_) / std::max(seconds, 1e-3);
  std::string line =
      with_commas(texts) + " texts, " + with_commas(static_cast<std::uint64_t>(rate)) + "/s";
  if (total_ == 0 || bytes <= bytes_before_) return line;
  const double done = static_cast<double>(bytes - bytes_before_);
  const double left = static_cast<double>(total_ - std::min(bytes, total_));
  const auto share = static_cast<std::uint64_t>(
      100 * std::min(1.0, static_cast<double>(bytes) / static_cast<double>(total_)));
  return line.append(", ")
      .append(std::to_string(share))
      .append(" %, ")
      .append(clock_time(seconds * left / done))
      .append(" left");
}

}  // namespace tools
