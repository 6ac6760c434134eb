#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/encoder/config.hpp>
#include <klue/model.hpp>
#include <klue/text/preprocessor.hpp>

#include "model/head.hpp"
#include "model/sentence_transformers.hpp"

namespace klue {

/// What a model directory holds, read and checked against each other.
struct ModelFiles {
  EncoderConfig config;
  Preprocessor preprocessor;
  Checkpoint checkpoint;
  std::optional<SentenceTransformer> sentences;
  std::optional<Head> head;
};

/// Recognises and reads a directory in Hugging Face layout (config.json) or a TensorFlow SavedModel
/// (variables/). Throws as Model::load says.
ModelFiles read_model_files(const std::filesystem::path& directory, const LoadOptions& options,
                            std::shared_ptr<const ThreadPool> pool);

}  // namespace klue
