#include <algorithm>

#include <klue/core/error.hpp>
#include <klue/text/encoding.hpp>

namespace klue {
namespace {

template <class T>
void pad(std::vector<T>& values, std::size_t length, Side side, T value) {
  values.insert(side == Side::left ? values.begin() : values.end(), length - values.size(), value);
}

void pad(Encoding& encoding, std::size_t length, const PaddingOptions& options) {
  for (Encoding& window : encoding.overflowing)
    pad(window, length, options);
  if (encoding.size() >= length) return;
  pad(encoding.ids, length, options.side, options.pad_id);
  pad(encoding.type_ids, length, options.side, options.pad_type_id);
  pad(encoding.offsets, length, options.side, Offset{});
  pad(encoding.special_tokens_mask, length, options.side, 1);
  pad(encoding.attention_mask, length, options.side, 0);
  pad(encoding.word_ids, length, options.side, -1);
  pad(encoding.sequence_ids, length, options.side, -1);
}

}  // namespace

void pad(std::span<Encoding> batch, const PaddingOptions& options) {
  std::size_t length = 0;
  if (options.length) {
    length = *options.length;
  } else {
    for (const Encoding& encoding : batch)
      length = std::max(length, encoding.size());
  }
  if (options.multiple_of > 0 && length % options.multiple_of != 0) {
    const std::size_t more = options.multiple_of - length % options.multiple_of;
    if (__builtin_add_overflow(length, more, &length))
      throw UsageError("padded length overflows", {.field = "multiple_of"});
  }
  for (Encoding& encoding : batch)
    pad(encoding, length, options);
}

}  // namespace klue
