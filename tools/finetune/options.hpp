#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/precision.hpp>

#include "dataset.hpp"
#include "training.hpp"

namespace finetune {

struct Options {
  std::string model{};  ///< empty: the bundled demo model
  std::string train{};
  std::optional<std::string> dev{}, order{};
  PlanRequest plan{};
  TrainingOptions training{};
  std::optional<double> dropout{};  ///< else as config.json says
  klue::Precision precision = klue::Precision::f32;
  klue::DType dtype = klue::DType::f32;  ///< of the weights that are written
  std::size_t threads = 0;
};

/// None where there is nothing to do; `status` is then the exit status.
std::optional<Options> parse_command_line(int argc, char** argv, int& status);

}  // namespace finetune
