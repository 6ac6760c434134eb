#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/text/detail/pack_inputs.hpp>

namespace klue::detail {
namespace {

using Segments = std::span<const std::span<const Tokens>>;

void check(Segments segments, const PackOptions& options) {
  if (segments.empty()) throw UsageError("nothing to pack", {.field = "segments"});
  for (const auto& segment : segments)
    if (segment.size() != segments.front().size())
      throw UsageError("segments with different numbers of texts",
                       {.field = "segments",
                        .expected = std::to_string(segments.front().size()),
                        .actual = std::to_string(segment.size())});
  if (options.seq_length < segments.size() + 1)
    throw UsageError("no room for the special tokens",
                     {.field = "seq_length",
                      .expected = "at least " + std::to_string(segments.size() + 1),
                      .actual = std::to_string(options.seq_length)});
  if (options.type_vocab_size == 0)
    throw UsageError("a model has at least one token type", {.field = "type_vocab_size"});
}

/// Fills one row from the left.
struct Row {
  std::span<std::int32_t> ids, mask, types;
  std::size_t at = 0;

  void put(std::int32_t id, std::int32_t type) {
    ids[at] = id;
    mask[at] = 1;
    types[at] = type;
    ++at;
  }
};

}  // namespace

EncoderInputs pack_inputs(Segments segments, const PackOptions& options) {
  check(segments, options);
  EncoderInputs inputs;
  inputs.batch = segments.front().size();
  inputs.seq_length = options.seq_length;
  std::size_t size = 0;
  if (__builtin_mul_overflow(inputs.batch, inputs.seq_length, &size) ||
      size > inputs.input_word_ids.max_size())
    throw UsageError("batch × seq_length overflows", {.field = "seq_length"});
  inputs.input_word_ids.resize(size, options.pad);
  inputs.input_mask.resize(size, 0);
  inputs.input_type_ids.resize(size, 0);

  const std::size_t budget = options.seq_length - segments.size() - 1;
  std::vector<std::size_t> lengths(segments.size());
  for (std::size_t i = 0; i < inputs.batch; ++i) {
    for (std::size_t k = 0; k < segments.size(); ++k)
      lengths[k] = segments[k][i].size();
    const auto kept = truncated_lengths(lengths, budget, options.truncation);
    const auto of_row = [&](std::vector<std::int32_t>& values) {
      return std::span(values).subspan(i * inputs.seq_length, inputs.seq_length);
    };
    Row row{of_row(inputs.input_word_ids), of_row(inputs.input_mask),
            of_row(inputs.input_type_ids)};
    row.put(options.cls, 0);
    for (std::size_t k = 0; k < segments.size(); ++k) {
      const auto type = static_cast<std::int32_t>(std::min(k, options.type_vocab_size - 1));
      for (std::size_t t = 0; t < kept[k]; ++t)
        row.put(segments[k][i].ids[t], type);
      row.put(options.sep, type);
    }
  }
  return inputs;
}

}  // namespace klue::detail
