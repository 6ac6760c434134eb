#pragma once

#include <filesystem>

namespace tools {

/// The bundled demo model, share/klue_roberta/models/demo beside the folder that the running
/// program is in, wherever both have been moved to. A build tree has a link to it at the same
/// place.
std::filesystem::path demo_model();

}  // namespace tools
