#pragma once

#include <string>

#include "options.hpp"

namespace embed {

/// The spelling of the command line.
std::string name_of(Output output);
std::string name_of(Format format);
std::string name_of(Dtype dtype);
std::string name_of(Long long_texts);
std::string name_of(tools::InputFormat format);
std::string name_of(tools::OnError on_error);

}  // namespace embed
