#pragma once

#include <klue/task/klue_inputs.hpp>

namespace evaluate {

using klue::baseline::Benchmark;

}  // namespace evaluate
