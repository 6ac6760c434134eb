#include "common/command.hpp"

#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/standard_streams.hpp"
#include "common/stop_signals.hpp"
#include "common/usage_error.hpp"

namespace tools {

namespace {

// CLI11 takes an argument "[가, 나]" for a list of two, and "[MASK]" is a text. No argument can
// hold a NUL, so one at its end hides the bracket until each option looks at what it was given.
// Last argument first, as CLI11 wants them.
void parse(CLI::App& app, int argc, char** argv) {
  const auto remove_guard = [](std::string& text) {
    if (text.ends_with('\0')) text.pop_back();
    return std::string();
  };
  for (CLI::Option* option : app.get_options())
    option->transform(CLI::Validator(remove_guard, ""));
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string& argument = arguments.emplace_back(argv[i]);
    if (argument.ends_with(']')) argument.push_back('\0');
  }
  app.parse(std::move(arguments));
}

}  // namespace

void describe(CLI::App& app, const char* version, const char* footer) {
  app.set_version_flag("--version", app.get_name() + " " + version);
  app.footer(footer);
  app.get_formatter()->column_width(26);
}

bool parsed(CLI::App& app, int argc, char** argv, const std::function<void()>& check, int& status) {
  try {
    parse(app, argc, argv);
    check();
    return true;
  } catch (const CLI::Success& success) {
    app.exit(success);
    status = 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << usage_message(app, error) << "\n";
    status = 2;
  }
  return false;
}

int run_command(const char* program, const std::function<int()>& work) {
  guard_standard_streams();
  std::ios::sync_with_stdio(false);
  try {
    const int status = work();
    if (!std::cout.flush())  // what --help and --version print is a result, too
      throw klue::IoError("cannot write", {.file = "standard output"});
    return status;
  } catch (const klue::StoppedError&) {
    die_of(StopSignals::received());
  } catch (const WrongUsage& error) {
    std::cerr << program << ": " << error.what() << "\n";
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << program << ": not enough memory\n";
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << "\n";
  }
  return 1;
}

}  // namespace tools
