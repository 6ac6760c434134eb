#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/choices.hpp"
#include "common/command.hpp"

/// What the programs here have in common: options as those of the commands, --help, and errors.
namespace klue::bench {

/// Texts × tokens of each.
struct Shape {
  std::size_t rows, length;

  std::string name() const { return std::to_string(rows) + "x" + std::to_string(length); }
};

/// Of "16x32". CLI11 finds it by its name.
inline bool lexical_cast(const std::string& text, Shape& shape) {
  const std::size_t x = text.find('x');
  return x != text.npos && CLI::detail::lexical_cast(text.substr(0, x), shape.rows) &&
         CLI::detail::lexical_cast(text.substr(x + 1), shape.length) && shape.rows > 0 &&
         shape.length > 0;
}

inline CLI::Option* add_shapes(CLI::App& app, std::vector<Shape>& shapes,
                               const std::string& description) {
  return app.add_option("--shapes", shapes, description)->delimiter(',')->type_name("LIST");
}

/// A file that is there.
inline CLI::Option* add_file(CLI::App& app, const std::string& flag, std::string& file,
                             const std::string& description) {
  return app.add_option(flag, file, description)
      ->type_name("FILE")
      ->check(CLI::Validator(CLI::ExistingFile).description(""));
}

/// What main returns: parses, then calls run(). 0, 1 for an error, 2 for wrong usage.
template <class Run>
int run_command(CLI::App& app, int argc, char** argv, const Run& run) {
  return tools::run_command(app.get_name().c_str(), [&] {
    int status = 0;
    if (tools::parsed(
            app, argc, argv, [] {}, status))
      run();
    return status;
  });
}

}  // namespace klue::bench
