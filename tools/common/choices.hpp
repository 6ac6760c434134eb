#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <klue/klue.hpp>

#include "common/number.hpp"

/// Options that the commands share.
namespace tools {

constexpr int kMostTokens = 1 << 20;
constexpr int kMostThreads = 1024;

/// An option's values by name, in the order of the help. Declared once for parsing and for help.
template <class Value>
using Names = std::vector<std::pair<std::string, Value>>;

/// The values that a header of the library lists, as it spells them.
template <class Value, std::size_t Count>
Names<Value> names_of(const Value (&values)[Count], std::string_view (*spelling)(Value)) {
  Names<Value> names;
  for (const Value value : values)
    names.emplace_back(spelling(value), value);
  return names;
}

inline const Names<klue::Pooling> kPoolings = names_of(klue::kPoolings, klue::pooling_name);
inline const Names<klue::Dialect> kDialects = names_of(klue::kDialects, klue::dialect_name);
inline const Names<klue::Truncation> kTruncations =
    names_of(klue::kTruncations, klue::truncation_name);
inline const Names<klue::Precision> kPrecisions =
    names_of(klue::kPrecisionChoices, klue::precision_name);
inline const Names<klue::Engine> kEngines = names_of(klue::kEngines, klue::engine_name);

template <class Value>
std::string name_of(const Names<Value>& names, Value value) {
  for (const auto& [name, named] : names)
    if (named == value) return name;
  return {};
}

/// An option that is one of `names`.
template <class Target, class Value>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, Target& target,
                        const Names<Value>& names, const std::string& description) {
  std::string choices;
  for (const auto& [name, value] : names)
    choices.append(choices.empty() ? "" : "|").append(name);
  const auto choose = [&names, choices](std::string& text) -> std::string {
    for (const auto& [name, value] : names) {
      if (name != text) continue;
      text = std::to_string(static_cast<int>(value));
      return {};
    }
    return "expected " + choices + ", found " + text;
  };
  return app.add_option(flag, target, description)
      ->transform(CLI::Validator(choose, ""))
      ->type_name(choices);
}

/// An option that is a number from `least` to `most`.
template <class Target>
CLI::Option* add_count(CLI::App& app, const std::string& flag, Target& target, int least, int most,
                       const std::string& description) {
  return app.add_option(flag, target, description)
      ->type_name("N")
      ->check(CLI::Range(least, most).description(""));
}

/// An option that is a finite number from `least` to `most`, either of which may be infinite; with
/// `above`, not `least` itself. CLI11's own ranges let "nan" through and spell their ends out with
/// 300 digits.
template <class Target>
CLI::Option* add_number(CLI::App& app, const std::string& flag, Target& target, double least,
                        double most, const std::string& description, bool above = false) {
  const auto check = [=](const std::string& text) -> std::string {
    const std::optional<double> value = finite_number(text);
    if (value && *value <= most && (above ? *value > least : *value >= least)) return {};
    std::ostringstream expected;
    expected << "expected a number";
    if (std::isfinite(least) && std::isfinite(most))
      expected << " from " << least << " to " << most;
    else if (std::isfinite(least))
      expected << (above ? " above " : " that is at least ") << least;
    return expected.str() + ", found " + text;
  };
  return app.add_option(flag, target, description)
      ->type_name("X")
      ->check(CLI::Validator(check, "", ""));
}

}  // namespace tools
