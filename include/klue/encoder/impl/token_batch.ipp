#include <string>

#include <klue/core/error.hpp>
#include <klue/encoder/detail/token_batch.hpp>

namespace klue::detail {

void TokenBatchBuilder::append(std::span<const std::int32_t> word_ids,
                               std::span<const std::int32_t> mask,
                               std::span<const std::int32_t> type_ids, PaddedRows padded,
                               std::vector<std::size_t>* columns) {
  std::size_t counted = 0, keys = 0;
  for (std::size_t column = 0; column < word_ids.size(); ++column) {
    const std::int32_t id = word_ids[column];
    check(id, mask[column], type_ids[column]);
    const std::size_t position = next_position(id, column, counted);
    if (mask[column] == 0 && padded == PaddedRows::zero && column != 0) continue;
    check_position(position);
    if (mask[column] == 1) {
      batch_.key_rows.push_back(
          static_cast<std::uint32_t>(batch_.word_ids.size() - batch_.tokens()));
      ++keys;
    }
    batch_.word_ids.push_back(id);
    batch_.position_ids.push_back(static_cast<std::int32_t>(position));
    batch_.type_ids.push_back(type_ids[column]);
    if (columns != nullptr) columns->push_back(column);
  }
  if (keys == 0)
    throw UsageError("a sequence without tokens",
                     {.field = "input_mask", .expected = "at least one 1 in every row"});
  batch_.first_token.push_back(batch_.word_ids.size());
  batch_.first_key.push_back(batch_.key_rows.size());
}

void TokenBatchBuilder::append(std::span<const std::int32_t> word_ids,
                               std::span<const std::int32_t> type_ids) {
  ones_.assign(word_ids.size(), 1);
  append(word_ids, ones_, type_ids);
}

void TokenBatchBuilder::clear() {
  batch_.word_ids.clear();
  batch_.position_ids.clear();
  batch_.type_ids.clear();
  batch_.key_rows.clear();
  batch_.first_token.assign(1, 0);
  batch_.first_key.assign(1, 0);
}

void TokenBatchBuilder::check(std::int32_t id, std::int32_t mask, std::int32_t type) const {
  const auto outside = [](std::int32_t value, std::size_t size) {
    return value < 0 || static_cast<std::size_t>(value) >= size;
  };
  const auto refuse = [](const char* field, std::size_t size, std::int32_t value) {
    throw UsageError("value outside the model's table",
                     {.field = field,
                      .expected = "0 to " + std::to_string(size - 1),
                      .actual = std::to_string(value)});
  };
  if (outside(id, config_->vocab_size)) refuse("input_word_ids", config_->vocab_size, id);
  if (outside(type, config_->type_vocab_size))
    refuse("input_type_ids", config_->type_vocab_size, type);
  if (outside(mask, 2)) refuse("input_mask", 2, mask);
}

std::size_t TokenBatchBuilder::next_position(std::int32_t id, std::size_t column,
                                             std::size_t& counted) const {
  if (config_->positions == PositionScheme::index) return column;
  if (static_cast<std::size_t>(id) == config_->pad_token_id) return config_->pad_token_id;
  return config_->pad_token_id + ++counted;
}

void TokenBatchBuilder::check_position(std::size_t position) const {
  if (position < config_->max_position_embeddings) return;
  throw UsageError("sequence longer than the model's position table",
                   {.field = "seq_length",
                    .expected = "at most " + std::to_string(config_->max_sequence_length()) +
                                " tokens, special tokens included"});
}

}  // namespace klue::detail
