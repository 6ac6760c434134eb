#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include <klue/encoder/pooling.hpp>

namespace klue {

/// What a sentence-transformers directory adds to a Hugging Face one.
struct SentenceTransformer {
  Pooling pooling = Pooling::mean;
  bool normalize = false;
  std::optional<std::size_t> max_seq_length;
};

/// Reads modules.json and the configurations it names; nothing where there is no modules.json.
/// Throws UnsupportedError for a module or pooling that this library does not run, by its name: a
/// vector without it would not be the model's.
std::optional<SentenceTransformer> read_sentence_transformer(
    const std::filesystem::path& directory);

}  // namespace klue
