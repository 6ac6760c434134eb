#pragma once

#include <ostream>

#include <klue/klue.hpp>

namespace embed {

/// Prints what was loaded, for --info.
void print_info(const klue::Model& model, std::size_t threads, std::ostream& out);

}  // namespace embed
