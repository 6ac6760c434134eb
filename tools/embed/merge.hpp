#pragma once

#include "options.hpp"

namespace embed {

/// Joins the outputs of all shards of a job, in whatever order they are given, to what one run
/// would have written. Throws klue::UsageError where one is missing, or they are no parts of the
/// same.
void merge(const Options& options);

}  // namespace embed
