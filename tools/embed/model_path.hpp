#pragma once

#include <filesystem>

#include "options.hpp"

namespace embed {

/// What --model means: a directory that exists, else a model by name, which is downloaded where it
/// is not cached, with a progress bar where standard error is a terminal. Throws as
/// klue::hub::fetch does.
std::filesystem::path model_path(const Options& options);

}  // namespace embed
