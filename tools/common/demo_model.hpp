#pragma once

#include <filesystem>
#include <string_view>

namespace tools {

/// A bundled demo model, share/klue_roberta/models/NAME beside the folder that the running
/// program is in, wherever both have been moved to. A build tree has a link to it at the same
/// place. "demo" embeds sentences, "demo-chat" has a head that labels questions.
std::filesystem::path demo_model(std::string_view name = "demo");

}  // namespace tools
