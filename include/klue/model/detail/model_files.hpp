#pragma once

#include <memory>
#include <optional>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/encoder/config.hpp>
#include <klue/model.hpp>
#include <klue/model/detail/head.hpp>
#include <klue/model/detail/sentence_transformers.hpp>
#include <klue/text/preprocessor.hpp>

namespace klue::detail {

/// What a model directory holds, read and checked against each other.
struct ModelFiles {
  EncoderConfig config;
  Preprocessor preprocessor;
  Checkpoint checkpoint;
  std::optional<SentenceTransformer> sentences;
  HeadConfig head_config;
  std::optional<Head> head;
};

/// The threads that the options ask for.
std::shared_ptr<const ThreadPool> pool_of(const LoadOptions& options);

/// Recognises and reads a directory in Hugging Face layout (config.json) or a TensorFlow SavedModel
/// (variables/). Throws as Model::load says.
ModelFiles read_model_files(const Place& directory, const LoadOptions& options,
                            std::shared_ptr<const ThreadPool> pool);

/// What `load_preprocessor` gives.
Preprocessor read_preprocessor_of(const Place& path, const LoadOptions& options);

}  // namespace klue::detail
