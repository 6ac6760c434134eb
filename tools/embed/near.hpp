#pragma once

#include <klue/klue.hpp>

#include "options.hpp"

namespace embed {

/// --search: the nearest texts of the input, or of saved vectors, to each query.
void write_hits(const klue::Model& model, const Options& options);

/// --duplicates: pairs of texts that are near each other.
void write_duplicates(const klue::Model& model, const Options& options);

/// --communities: groups of texts around one that is near to all others of its group.
void write_communities(const klue::Model& model, const Options& options);

}  // namespace embed
