#pragma once

#include <filesystem>
#include <optional>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/encoder/config.hpp>
#include <klue/model.hpp>
#include <klue/model/detail/vector_pipeline.hpp>

namespace klue::detail {

/// What a checkpoint holds on top of its encoder.
struct Head {
  HeadInfo info;
  VectorPipeline pipeline;  ///< gives the logits; only where info.labels is not 0
};

/// Finds the head of a checkpoint, by its tensors and by what `config_json` calls the model;
/// an empty path: nothing does. Nothing where there is only an encoder. Throws FormatError for a
/// head with a tensor missing or of an impossible shape.
std::optional<Head> read_head(const std::filesystem::path& config_json, const EncoderConfig& config,
                              const Checkpoint& checkpoint, const PipelineEngine& engine);

}  // namespace klue::detail
