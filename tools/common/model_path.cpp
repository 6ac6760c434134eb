#include "common/model_path.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <klue/core/error.hpp>
#include <klue/hub.hpp>

namespace tools {
namespace {

/// Tells on standard error what is downloaded: once, or on a terminal all the time.
class DownloadNotice {
 public:
  DownloadNotice(std::string program, std::string model, std::filesystem::path cache)
      : program_(std::move(program)),
        model_(std::move(model)),
        cache_(std::move(cache)),
        terminal_(::isatty(STDERR_FILENO) == 1) {}

  // Whatever is said next, an error above all, begins a line of its own.
  ~DownloadNotice() {
    if (drawn_) std::cerr << "\n";
  }

  void show(const klue::hub::Progress& progress) {
    if (!begun_)
      std::cerr << program_ << ": downloading " << model_ << " to " << cache_.string() << "\n";
    begun_ = true;
    if (terminal_) draw(progress);
  }

 private:
  void draw(const klue::hub::Progress& progress) {
    constexpr int kWidth = 24;
    // A hub that tells no sizes makes no shares.
    const double share = progress.total == 0
                             ? 0.0
                             : std::min(1.0, static_cast<double>(progress.received) /
                                                 static_cast<double>(progress.total));
    const std::string filled(static_cast<std::size_t>(share * kWidth), '#');
    constexpr double kMegabyte = 1e6;
    char line[160];
    std::snprintf(
        line, sizeof line, "\r[%-*s] %3d %%  %.1f of %.1f MB  %-28.28s", kWidth, filled.c_str(),
        static_cast<int>(share * 100), static_cast<double>(progress.received) / kMegabyte,
        static_cast<double>(progress.total) / kMegabyte, std::string(progress.file).c_str());
    std::cerr << line << std::flush;
    drawn_ = true;
  }

  std::string program_, model_;
  std::filesystem::path cache_;
  bool terminal_, begun_ = false, drawn_ = false;
};

}  // namespace

std::filesystem::path model_path(const std::string& program, const std::string& model, bool quiet) {
  std::error_code error;
  if (std::filesystem::exists(model, error) || !klue::hub::is_name(model)) return model;
  klue::hub::Options hub = klue::hub::Options::from_environment();
  DownloadNotice notice(program, model, hub.cache);
  if (!quiet) hub.progress = [&](const klue::hub::Progress& progress) { notice.show(progress); };
  try {
    return klue::hub::fetch(model, hub);
  } catch (const klue::Error& found) {
    // A mistyped path looks like a name.
    throw klue::IoError(std::string("no such directory, and as a name on the hub: ") + found.what(),
                        {.file = model});
  }
}

}  // namespace tools
