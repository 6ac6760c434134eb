#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <klue/core/detail/place.hpp>
#include <klue/model/detail/vector_pipeline.hpp>

namespace klue::detail {

/// What a sentence-transformers directory adds to a Hugging Face one.
struct SentenceTransformer {
  VectorPipeline pipeline;  ///< without the Normalize modules at its end
  bool normalize = false;   ///< whether there were any at its end
  std::optional<std::size_t> max_seq_length;
  bool lower_case = false;  ///< texts, before they are tokenized
  std::string prompt;       ///< put before every text that is embedded
};

/// The folder of a model directory that holds the encoder and the tokenizer: the path of the
/// Transformer module where modules.json names one, else the directory itself. Throws as
/// read_sentence_transformer.
Place transformer_directory(const Place& directory);

/// Reads modules.json and what it names; nothing where there is no modules.json. Follows
/// SentenceTransformer.encode, the modules' own defaults for keys that are missing included.
///
/// Throws UnsupportedError, by its name, for a module, pooling or activation that this library does
/// not run: a vector without it would not be the model's. FormatError for files that are damaged or
/// contradict each other or `hidden_size`.
std::optional<SentenceTransformer> read_sentence_transformer(const Place& directory,
                                                             std::size_t hidden_size,
                                                             const PipelineEngine& engine);

}  // namespace klue::detail
