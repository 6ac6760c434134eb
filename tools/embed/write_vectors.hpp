#pragma once

#include <klue/klue.hpp>

#include "options.hpp"

namespace embed {

/// Embeds all texts of the input and writes a vector for each, with --resume and --shard, too.
void write_vectors(const klue::Model& model, const Options& options);

}  // namespace embed
