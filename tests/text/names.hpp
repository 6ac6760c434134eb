#pragma once

#include <optional>
#include <string_view>

#include <klue/text/truncation.hpp>

namespace klue::test {

inline std::optional<Truncation> truncation_named(std::string_view name) {
  for (const Truncation truncation : kTruncations)
    if (truncation_name(truncation) == name) return truncation;
  return std::nullopt;
}

}  // namespace klue::test
