#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace tools {

/// What there is to say about a command line that cannot be run, as one line for standard error:
/// "embed: unknown option --modle: did you mean --model? (embed --help)".
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

/// The candidate that `word` was probably meant to be; empty where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace tools
