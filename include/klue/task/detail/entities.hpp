#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/task/tag.hpp>
#include <klue/text/encoding.hpp>
#include <klue/text/tokenizer.hpp>

/// Labels of tokens to entities, after TokenClassificationPipeline of transformers 4.57.
namespace klue::detail {

/// The entities of one window, those with an ignored label left out. `logits` are
/// [window.size(), labels.size()]. Offsets are in bytes; code_points is left empty.
std::vector<Entity> entities_of(const Tokenizer& tokenizer, std::string_view text,
                                const Encoding& window, std::span<const float> logits,
                                const std::vector<std::string>& labels, const TagOptions& options);

/// Those of several windows of a text as one list in its order: of two that overlap the longer
/// stays, then the surer.
std::vector<Entity> merge_entities(std::vector<Entity> entities, std::string_view text);

/// Sets code_points of every entity.
void count_code_points(std::string_view text, std::vector<Entity>& entities);

}  // namespace klue::detail
