#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <klue/core/error.hpp>
#include <klue/task/detail/klue_checks.hpp>

namespace klue::detail {

void check_klue_sides(std::size_t gold, std::size_t predictions, std::string_view what) {
  if (gold == predictions) return;
  throw UsageError("not one for each gold label", {.field = std::string(what),
                                                   .expected = std::to_string(gold),
                                                   .actual = std::to_string(predictions)});
}

void check_klue_labels(std::string_view side, std::span<const std::int32_t> values,
                       std::int32_t labels) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] < 0 || values[i] >= labels)
      throw UsageError("no such label", {.field = std::string(side) + "[" + std::to_string(i) + "]",
                                         .expected = "0 to " + std::to_string(labels - 1),
                                         .actual = std::to_string(values[i])});
}

void check_klue_labels(std::span<const std::int32_t> gold,
                       std::span<const std::int32_t> predictions, std::int32_t labels) {
  check_klue_sides(gold.size(), predictions.size());
  check_klue_labels("gold", gold, labels);
  check_klue_labels("predictions", predictions, labels);
}

}  // namespace klue::detail
