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

/// Reads a command line, all options being added, and calls `check`. False where there is nothing
/// to run: --help or --version, which are printed (`status` becomes 0), or wrong usage, which is
/// told (2), be it the parser's or a CLI::ParseError of `check`.
bool parsed(CLI::App& app, int argc, char** argv, const std::function<void()>& check, int& status);

/// What main does: guards the standard streams, calls `work` for the exit status, and writes out
/// standard output. An exception becomes a line on standard error and status 1, or 2 where it is
/// WrongUsage; work that a signal stopped ends the program by that signal.
int run_command(const char* program, const std::function<int()>& work);

}  // namespace tools
