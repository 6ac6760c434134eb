#include "common/usage_error.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include <CLI/CLI.hpp>

namespace tools {
namespace {

// Levenshtein's, with an exchange of neighbours as one step: what typing gets wrong.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before, last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] =
          std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before = std::exchange(last, now);
  }
  return last[b.size()];
}

std::vector<std::string> long_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  return names;
}

// The first word of the command line that is no option: "unknown option --modle".
std::string unknown_option(const CLI::App& app) {
  for (const std::string& word : app.remaining()) {
    if (word.size() < 2 || word[0] != '-') continue;
    const std::string name = word.substr(0, word.find('='));
    std::string message = "unknown option " + name;
    const std::string meant = nearest(name, long_options(app));
    if (!meant.empty()) message.append(": did you mean ").append(meant).append("?");
    return message;
  }
  return {};
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) best = candidate, best_distance = d;
  }
  if (!best.empty() || word.size() < 5) return best;
  // "--thread-count" is none of the above: the one that begins alike.
  for (const std::string& candidate : candidates)
    if (candidate.starts_with(word) || (candidate.size() > 4 && word.starts_with(candidate)))
      return candidate;
  return {};
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError))
    if (const std::string unknown = unknown_option(app); !unknown.empty()) message = unknown;
  std::erase(message, '\0');  // see parsed()
  while (message.ends_with('\n'))
    message.pop_back();
  return app.get_name() + ": " + message + " (" + app.get_name() + " --help)";
}

}  // namespace tools
