#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/encoder/config.hpp>
#include <klue/model.hpp>
#include <klue/model/detail/vector_pipeline.hpp>

namespace klue::detail {

/// What config.json says about a head. Whether it makes sense is the concern of who runs the head.
struct HeadConfig {
  std::filesystem::path file{};  ///< need not exist
  std::string architecture{};    ///< "RobertaForSequenceClassification"
  bool has_labels = false;       ///< whether there is an id2label
  /// Its names in their order; none where it does not name exactly 0, 1, 2, …
  std::vector<std::string> label_names{};
  std::string problem_type{};         ///< "regression"; empty where it is not said
  std::string activation_function{};  ///< of a CrossEncoder, as a Python name; empty likewise
  bool tie_word_embeddings = true;    ///< whether a decoder is the word embeddings
};

/// Throws IoError, and FormatError where the file is not one JSON object. An empty path is no file.
HeadConfig read_head_config(const Place& config_json);

/// The same from memory; `file` is only named in errors.
HeadConfig parse_head_config(std::string_view json, const std::filesystem::path& file);

/// What a checkpoint holds on top of its encoder.
struct Head {
  HeadInfo info;
  VectorPipeline pipeline;  ///< gives the logits; only where info.labels is not 0
};

/// Finds the head of a checkpoint, by its tensors and by what its configuration calls the model.
/// Nothing where there is only an encoder. Throws FormatError for a classifier of texts with a
/// tensor missing or of an impossible shape; the other heads are packed by the tasks that run them.
std::optional<Head> read_head(const HeadConfig& head_config, const EncoderConfig& config,
                              const Checkpoint& checkpoint, const PipelineEngine& engine);

}  // namespace klue::detail
