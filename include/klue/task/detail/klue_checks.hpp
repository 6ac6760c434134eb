#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// What KLUE's scores demand of their arguments. Each throws UsageError.
namespace klue::detail {

/// As many predictions as there are gold labels.
void check_klue_sides(std::size_t gold, std::size_t predictions,
                      std::string_view what = "predictions");

/// Both sides, of one length, and every label in [0, labels).
void check_klue_labels(std::span<const std::int32_t> gold,
                       std::span<const std::int32_t> predictions, std::int32_t labels);

/// Every label in [0, labels). `side` names the argument.
void check_klue_labels(std::string_view side, std::span<const std::int32_t> values,
                       std::int32_t labels);

}  // namespace klue::detail
