#include <cstddef>
#include <cstdint>
#include <string>

#include <klue/core/error.hpp>
#include <klue/train/batch.hpp>

namespace klue::train {
namespace {

void require_in_table(const char* field, std::int32_t value, std::size_t size) {
  if (value >= 0 && static_cast<std::size_t>(value) < size) return;
  throw UsageError("value outside the model's table",
                   {.field = field,
                    .expected = "0 to " + std::to_string(size - 1),
                    .actual = std::to_string(value)});
}

}  // namespace

void Batch::append(const EncoderConfig& config, std::span<const std::int32_t> ids,
                   std::span<const std::int32_t> types) {
  if (ids.empty()) throw UsageError("a sequence without tokens", {.field = "input_ids"});
  if (!types.empty() && types.size() != ids.size())
    throw UsageError("as many types as tokens are needed",
                     {.field = "type_ids",
                      .expected = std::to_string(ids.size()),
                      .actual = std::to_string(types.size())});
  const bool after_padding = config.positions == PositionScheme::after_padding;
  std::size_t counted = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::int32_t type = types.empty() ? 0 : types[i];
    require_in_table("input_ids", ids[i], config.vocab_size);
    require_in_table("type_ids", type, config.type_vocab_size);
    const bool pad = static_cast<std::size_t>(ids[i]) == config.pad_token_id;
    const std::size_t position = !after_padding ? i : config.pad_token_id + (pad ? 0 : ++counted);
    if (position >= config.max_position_embeddings)
      throw UsageError("sequence longer than the model's position table",
                       {.field = "input_ids",
                        .expected = "at most " + std::to_string(config.max_sequence_length()) +
                                    " tokens, special tokens included",
                        .actual = std::to_string(ids.size())});
    word_ids.push_back(ids[i]);
    position_ids.push_back(static_cast<std::int32_t>(position));
    type_ids.push_back(type);
  }
  first_token.push_back(word_ids.size());
}

}  // namespace klue::train
