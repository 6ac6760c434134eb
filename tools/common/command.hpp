#pragma once

#include <functional>

#include <klue/core/error.hpp>

namespace CLI {
class App;
}

namespace tools {

/// Wrong usage that shows only when the model is there. Exit status 2.
class WrongUsage : public klue::UsageError {
 public:
  using UsageError::UsageError;
};

/// Gives a parser what all commands have: --version, and text behind the options.
void describe(CLI::App& app, const char* version, const char* footer);

/// Calls `parse`, which has `app` read a command line. False where there is nothing to run then:
/// --help or --version, which are printed (`status` becomes 0), or wrong usage, which is told (2).
bool parsed(CLI::App& app, const std::function<void()>& parse, int& status);

/// What main does: guards the standard streams, calls `work` for the exit status, and writes out
/// standard output. An exception becomes a line on standard error and status 1, or 2 where it is
/// WrongUsage; work that a signal stopped ends the program by that signal.
int run_command(const char* program, const std::function<int()>& work);

}  // namespace tools
