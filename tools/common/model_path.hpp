#pragma once

#include <filesystem>
#include <string>

namespace tools {

/// What --model means: a directory that exists, else a model by name, which is downloaded where it
/// is not cached, with a progress bar where standard error is a terminal and nothing where it is to
/// be quiet. `program` begins the notice. Throws as klue::hub::fetch does.
std::filesystem::path model_path(const std::string& program, const std::string& model, bool quiet);

}  // namespace tools
