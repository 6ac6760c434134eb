#pragma once

namespace tools {

/// Puts something unusable where standard input, output or error is closed, so that no file which
/// is opened later gets that number and is then written to in its place: reading and writing there
/// fails as it would on the closed one. To be called first of all.
void guard_standard_streams();

}  // namespace tools
