#pragma once

#include <klue/klue.hpp>

#include "options.hpp"

namespace embed {

/// --tokenize: a line of JSON for each text.
void write_tokenized(const klue::Preprocessor& preprocessor, const Options& options);

}  // namespace embed
